/** Medians, quantiles and slopes of small series. */

/** Between the two in the middle where there is none in the middle. NaN of an empty series. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  const upper = sorted[half] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? NaN) + upper) / 2;
}

/** The smallest value that at least `share` of the values do not exceed (nearest rank). NaN of an empty series. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).toSorted();
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? NaN;
}

/** Median with its spread: the least and the greatest of the rounds. */
export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
  readonly count: number;
}

export function summarise(values: readonly number[]): Summary {
  return {
    median: median(values),
    least: values.length === 0 ? NaN : Math.min(...values),
    greatest: values.length === 0 ? NaN : Math.max(...values),
    count: values.length,
  };
}

/** Slope of the straight line that fits best (least squares). NaN where there are not two different places. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const count = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  let products = 0;
  let squares = 0;
  for (const [x, y] of points) {
    products += (x - meanX) * (y - meanY);
    squares += (x - meanX) ** 2;
  }
  return squares === 0 ? NaN : products / squares;
}
