/**
 * The filters of the default model, computed rather than learned.
 *
 * A complex Gabor filter is a short wave under a Gaussian window. Its magnitude answers "how much texture of this
 * direction and scale is here", whatever the phase: the oldest and still the best description of a picture that
 * needs no training.
 */

/** Directions, evenly over half a turn. */
export const ORIENTATIONS = 8;
/** Side of a filter in pixels. */
export const GABOR_SIZE = 11;
/** Cycles per pixel: the finest wave that a filter of this size shows well. Coarser ones come from smaller images. */
const FREQUENCY = 0.25;
/** Window widths along the wave and across it, chosen so that eight directions cover the plane without gaps. */
const SIGMA_ALONG = 1.79;
const SIGMA_ACROSS = (ORIENTATIONS / (2 * Math.PI * FREQUENCY)) * 0.55;

/** The filters of all directions, each as its cosine part, then its sine part, row by row. */
export function gaborKernels(): Float64Array {
  const area = GABOR_SIZE * GABOR_SIZE;
  const out = new Float64Array(ORIENTATIONS * 2 * area);
  for (let orientation = 0; orientation < ORIENTATIONS; orientation++) {
    out.set(gaborPair((orientation * Math.PI) / ORIENTATIONS), orientation * 2 * area);
  }
  return out;
}

function gaborPair(angle: number): Float64Array {
  const radius = (GABOR_SIZE - 1) / 2;
  const area = GABOR_SIZE * GABOR_SIZE;
  const window = new Float64Array(area);
  const pair = new Float64Array(2 * area);
  for (let y = -radius, at = 0; y <= radius; y++) {
    for (let x = -radius; x <= radius; x++, at++) {
      const along = x * Math.cos(angle) + y * Math.sin(angle);
      const across = y * Math.cos(angle) - x * Math.sin(angle);
      window[at] = Math.exp(-0.5 * ((along / SIGMA_ALONG) ** 2 + (across / SIGMA_ACROSS) ** 2));
      pair[at] = (window[at] ?? 0) * Math.cos(2 * Math.PI * FREQUENCY * along);
      pair[area + at] = (window[at] ?? 0) * Math.sin(2 * Math.PI * FREQUENCY * along);
    }
  }
  // A wave with a mean would also answer to plain brightness, so the cosine part gives up its share of the window.
  const excess = sum(pair.subarray(0, area)) / sum(window);
  for (let at = 0; at < area; at++) pair[at] = (pair[at] ?? 0) - excess * (window[at] ?? 0);
  const norm = Math.sqrt(pair.reduce((total, value) => total + value * value, 0));
  return pair.map((value) => value / norm);
}

/** A Gaussian of `taps` values (odd) that sums to one. */
export function gaussianKernel(taps: number, sigma: number): Float64Array {
  const middle = (taps - 1) / 2;
  const raw = Float64Array.from({ length: taps }, (_, i) => Math.exp(-0.5 * ((i - middle) / sigma) ** 2));
  const total = sum(raw);
  return raw.map((value) => value / total);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
