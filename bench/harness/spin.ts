/** Arithmetic that takes a wanted time, the same work in every program. */

/** Plain floating-point work that cannot be left out: its answer is returned. */
export function spin(iterations: number): number {
  let value = 1;
  for (let i = 0; i < iterations; i++) value = Math.sqrt(value + i);
  return value;
}

const SAMPLE_ITERATIONS = 200_000;
const SAMPLES = 60;

/** Iterations of {@link spin} in a millisecond of this machine when it is free: by the fastest of several samples. */
export function iterationsPerMs(): number {
  let fastestMs = Infinity;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const startedAt = performance.now();
    spin(SAMPLE_ITERATIONS);
    fastestMs = Math.min(fastestMs, performance.now() - startedAt);
  }
  return Math.round(SAMPLE_ITERATIONS / fastestMs);
}
