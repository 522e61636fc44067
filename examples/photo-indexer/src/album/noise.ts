import { createRandom } from "./random.js";

/** Side of the noise tile in pixels; a power of two, so that wrapping is a mask. */
export const TILE = 256;

/**
 * A tile of fractal noise (1/f: clouds, grass, rock and plaster all have it), 0 to 1, that repeats without a seam.
 * It is made once and looked up everywhere, since computing noise per pixel would cost more than all else.
 */
export function noiseTile(seed: number): Float32Array {
  const tile = new Float32Array(TILE * TILE);
  let weight = 1;
  let total = 0;
  for (let cells = 4; cells <= TILE; cells *= 2) {
    addOctave(tile, cells, weight, seed + cells);
    total += weight;
    weight *= 0.62;
  }
  return tile.map((value) => value / total);
}

function addOctave(tile: Float32Array, cells: number, weight: number, seed: number): void {
  const random = createRandom(seed);
  const lattice = Float32Array.from({ length: cells * cells }, () => random.next());
  const step = cells / TILE;
  for (let y = 0; y < TILE; y++) {
    const row = Math.floor(y * step);
    const down = smooth(y * step - row);
    for (let x = 0; x < TILE; x++) {
      const column = Math.floor(x * step);
      const along = smooth(x * step - column);
      const right = (column + 1) % cells;
      const below = (row + 1) % cells;
      const top = mix(lattice[row * cells + column] ?? 0, lattice[row * cells + right] ?? 0, along);
      const bottom = mix(lattice[below * cells + column] ?? 0, lattice[below * cells + right] ?? 0, along);
      tile[y * TILE + x] = (tile[y * TILE + x] ?? 0) + weight * mix(top, bottom, down);
    }
  }
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}
