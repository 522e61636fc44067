/** What each item of a job costs, in milliseconds of one thread. */

const SEED = 20_260_101;

/** `even`: 1 ms each. `mixed`: nine of ten take 0.1 ms and one 10 ms, shuffled. `late`: 0.1 ms, and the last 8 take 50. */
export function costsMs(shape: string, count: number): number[] {
  switch (shape) {
    case "even":
      return Array.from({ length: count }, () => 1);
    case "mixed":
      return shuffled(Array.from({ length: count }, (_, i) => (i % 10 === 0 ? 10 : 0.1)));
    case "late":
      return Array.from({ length: count }, (_, i) => (i < count - 8 ? 0.1 : 50));
    default:
      throw new Error(`there is no shape ${shape}`);
  }
}

/** The same order in every process. */
function shuffled(values: readonly number[]): number[] {
  const result = [...values];
  let state = SEED;
  for (let i = result.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = state % (i + 1);
    [result[i], result[other]] = [result[other] ?? 0, result[i] ?? 0];
  }
  return result;
}
