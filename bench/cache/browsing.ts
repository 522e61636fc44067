/**
 * What a person who browses an album asks a cache for: a model, and the same trace every time. Nobody's browsing was
 * recorded.
 *
 * An album of 3,000 photos is shown in pages of 30 thumbnails. Of a hundred steps 55 go to the next page, 20 one to
 * three pages back, 10 to one of the last ten pages on which a photo was opened, 5 to anywhere, and 10 stay. On every
 * third page a photo is opened: its preview is shown, then those of the next none to five photos, and after that the
 * same page again. Thumbnails have 6 to 26 kB, previews 150 to 600 kB; small ones are more frequent.
 */
import { seeded } from "./random.js";

export interface LookUp {
  readonly key: string;
  readonly sizeBytes: number;
}

const PHOTOS = 3_000;
const PAGE = 30;
const PAGES = PHOTOS / PAGE;
const REMEMBERED_PAGES = 10;

export function browse(lookUps: number): LookUp[] {
  const random = seeded(7);
  const below = (bound: number): number => Math.floor(random() * bound);
  const sizes = (least: number, most: number): number[] =>
    Array.from({ length: PHOTOS }, () => Math.round(least + (most - least) * random() ** 2));
  const thumbnailBytes = sizes(6_000, 26_000);
  const previewBytes = sizes(150_000, 600_000);

  const trace: LookUp[] = [];
  const showThumbnails = (page: number): void => {
    for (let photo = page * PAGE; photo < (page + 1) * PAGE; photo++) {
      trace.push({ key: `thumbnail:${photo}`, sizeBytes: thumbnailBytes[photo] ?? 0 });
    }
  };
  const showPreview = (photo: number): void => {
    trace.push({ key: `preview:${photo}`, sizeBytes: previewBytes[photo] ?? 0 });
  };

  const opened: number[] = [];
  const step = (page: number): number => {
    const chance = random();
    if (chance < 0.55) return (page + 1) % PAGES;
    if (chance < 0.75) return Math.max(0, page - 1 - below(3));
    if (chance < 0.85) return opened[below(opened.length)] ?? page;
    return chance < 0.9 ? below(PAGES) : page;
  };
  let page = 0;
  while (trace.length < lookUps) {
    showThumbnails(page);
    if (random() < 1 / 3) {
      const first = page * PAGE + below(PAGE);
      const last = Math.min(first + below(6), PHOTOS - 1);
      for (let photo = first; photo <= last; photo++) showPreview(photo);
      showThumbnails(page);
      opened.push(page);
      if (opened.length > REMEMBERED_PAGES) opened.shift();
    }
    page = step(page);
  }
  return trace.slice(0, lookUps);
}
