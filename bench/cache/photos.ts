/** What the caches of this benchmark hold: small objects, as a catalog has them. */

export interface Photo {
  readonly id: number;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly tags: readonly string[];
}

/** About what one takes in memory; what a caller says who knows. */
export const PHOTO_BYTES = 200;

export function makePhoto(id: number): Photo {
  return { id, name: `holiday-${id}.jpg`, width: 4_000 + (id % 7), height: 3_000, tags: ["beach", `day-${id % 30}`] };
}

export const keyOf = (id: number): string => `photo:${id}`;
