/** The work: how many primes there are in a range. One range is one item of a job. */
export interface Range {
  readonly from: number;
  /** Not in the range itself. */
  readonly to: number;
}

export function countPrimes({ from, to }: Range): number {
  let count = 0;
  for (let n = Math.max(from, 2); n < to; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n && isPrime; d++) isPrime = n % d !== 0;
    if (isPrime) count++;
  }
  return count;
}
