/** The least that a call can do. */
export function addOne(x: number): number {
  return x + 1;
}
