import { TILE } from "./noise.js";

/** Red, green and blue, 0 to 255. */
export type Color = readonly [number, number, number];

/** How a surface is roughened: a window into the noise tile. */
export interface Texture {
  /** How far the noise moves the light, in levels. */
  readonly depth: number;
  /** Noise pixels per picture pixel, along and down: unequal ones make waves or bark. */
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offset: number;
}

/** A soft-edged, shaded, turned ellipse: petals, stones, leaves, balls and lights are all one. */
export interface Blob {
  readonly x: number;
  readonly y: number;
  readonly radiusX: number;
  readonly radiusY: number;
  /** In radians. */
  readonly angle: number;
  readonly color: Color;
  /** 0 to 1: how much the lower right is darker than the upper left. */
  readonly shade: number;
  /** Share of the radius over which the edge fades, above 0. */
  readonly softness: number;
  readonly opacity: number;
  readonly texture: Texture;
}

/** A picture that is painted over from back to front, in plain bytes: quick enough for hundreds of pictures. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  /** Three bytes a pixel, row by row; the array itself rounds and clamps. */
  readonly pixels: Uint8ClampedArray;
  readonly #noise: Float32Array;

  constructor(width: number, height: number, noise: Float32Array) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8ClampedArray(width * height * 3);
    this.#noise = noise;
  }

  /** Fills the rows from `top` to `bottom` with a vertical blend. */
  gradient(top: number, bottom: number, from: Color, to: Color, texture: Texture): void {
    this.columns(() => top, bottom, from, to, texture);
  }

  /** Fills every column from its own height down to `bottom`: hills, waves, roofs, the ground. */
  columns(topAt: (x: number) => number, bottom: number, from: Color, to: Color, texture: Texture): void {
    const tops = Float64Array.from({ length: this.width }, (_, x) => topAt(x));
    const first = Math.max(0, Math.floor(Math.min(...tops)));
    const end = Math.min(this.height, Math.ceil(bottom));
    for (let y = first; y < end; y++) {
      const share = (y - first) / Math.max(1, bottom - first);
      const red = from[0] + (to[0] - from[0]) * share;
      const green = from[1] + (to[1] - from[1]) * share;
      const blue = from[2] + (to[2] - from[2]) * share;
      for (let x = 0; x < this.width; x++) {
        if (y < (tops[x] ?? 0)) continue;
        const light = this.#rough(x, y, texture);
        this.#set((y * this.width + x) * 3, red + light, green + light, blue + light);
      }
    }
  }

  /** An upright rectangle. */
  box(left: number, top: number, right: number, bottom: number, color: Color, texture: Texture): void {
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(this.height, bottom); y++) {
      for (let x = Math.max(0, Math.floor(left)); x < Math.min(this.width, right); x++) {
        const light = this.#rough(x, y, texture);
        this.#set((y * this.width + x) * 3, color[0] + light, color[1] + light, color[2] + light);
      }
    }
  }

  blob(blob: Blob): void {
    const reach = Math.max(blob.radiusX, blob.radiusY);
    const cos = Math.cos(blob.angle);
    const sin = Math.sin(blob.angle);
    const [red, green, blue] = blob.color;
    for (let y = Math.max(0, Math.floor(blob.y - reach)); y < Math.min(this.height, blob.y + reach); y++) {
      for (let x = Math.max(0, Math.floor(blob.x - reach)); x < Math.min(this.width, blob.x + reach); x++) {
        const u = ((x - blob.x) * cos + (y - blob.y) * sin) / blob.radiusX;
        const v = ((y - blob.y) * cos - (x - blob.x) * sin) / blob.radiusY;
        const distance = Math.sqrt(u * u + v * v);
        if (distance >= 1) continue;
        const cover = Math.min(1, (1 - distance) / blob.softness) * blob.opacity;
        const light = this.#rough(x, y, blob.texture) - 90 * blob.shade * (u + v);
        this.#blend((y * this.width + x) * 3, red + light, green + light, blue + light, cover);
      }
    }
  }

  #rough(x: number, y: number, texture: Texture): number {
    const column = (x * texture.scaleX + texture.offset) & (TILE - 1);
    const row = (y * texture.scaleY + texture.offset * 7) & (TILE - 1);
    return ((this.#noise[row * TILE + column] ?? 0) - 0.5) * 2 * texture.depth;
  }

  #set(at: number, red: number, green: number, blue: number): void {
    this.pixels[at] = red;
    this.pixels[at + 1] = green;
    this.pixels[at + 2] = blue;
  }

  #blend(at: number, red: number, green: number, blue: number, cover: number): void {
    const under = 1 - cover;
    const { pixels } = this;
    this.#set(
      at,
      red * cover + (pixels[at] ?? 0) * under,
      green * cover + (pixels[at + 1] ?? 0) * under,
      blue * cover + (pixels[at + 2] ?? 0) * under,
    );
  }
}
