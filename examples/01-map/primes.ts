/** How many primes there are below a number. A plain exported function is a task. */
export default function countPrimes(below: number): number {
  let count = 0;
  for (let n = 2; n < below; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n && isPrime; d++) isPrime = n % d !== 0;
    if (isPrime) count++;
  }
  return count;
}
