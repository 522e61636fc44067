/** How fast something grows: the slope of the line that fits its samples best (least squares). */
export function slopeOf(xs: readonly number[], ys: readonly number[]): number {
  const meanX = mean(xs);
  const meanY = mean(ys);
  let above = 0;
  let below = 0;
  for (const [at, x] of xs.entries()) {
    above += (x - meanX) * ((ys[at] ?? 0) - meanY);
    below += (x - meanX) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
