/** Look-ups and stores in a full cache, the same for every contestant. */
import { finish, number } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import { type Photo, keyOf, makePhoto } from "./photos.js";
import { seeded } from "./random.js";

export interface CacheAtHand {
  readonly get: (key: string) => Photo | undefined;
  readonly set: (key: string, value: Photo) => unknown;
  /** How many entries it has. */
  readonly count: () => number;
}

/**
 * Fills the cache, then takes the time of finding what is there, of storing what is not there (each pushes out an older
 * one), and of storing under a key that is there. Reports, and ends the process.
 */
export async function measure(cache: CacheAtHand): Promise<never> {
  const entries = number("entries");
  const operations = number("operations");
  const warmUps = number("warmUps");
  const repeats = number("repeats");
  // Twice as many as there is room for: taken in turn, none of the next half is there any more.
  const photos = Array.from({ length: 2 * entries }, (_, id) => makePhoto(id));
  const keys = photos.map(({ id }) => keyOf(id));
  const random = seeded(1);
  const order = Uint32Array.from({ length: operations }, () => Math.floor(random() * entries));

  let next = 0;
  const storeNext = (times: number): void => {
    for (let done = 0; done < times; done++) {
      cache.set(keys[next] as string, photos[next] as Photo);
      next = next + 1 === keys.length ? 0 : next + 1;
    }
  };
  // What is there: the lower half.
  const fillAgain = (): void => {
    next = 0;
    storeNext(entries);
  };

  fillAgain();
  const getMs = await medianMs(warmUps, repeats, () => {
    let found = 0;
    for (const at of order) if (cache.get(keys[at] as string)?.id === at) found++;
    if (found !== operations) throw new Error(`${operations - found} of ${operations} were not found`);
  });
  const replaceMs = await medianMs(warmUps, repeats, () => {
    // Another photo each time: to store the very same object again, lru-cache has a shortcut.
    order.forEach((at, turn) => cache.set(keys[at] as string, photos[(at + turn) % photos.length] as Photo));
  });
  fillAgain();
  const setMs = await medianMs(warmUps, repeats, () => storeNext(operations));
  if (cache.count() !== entries) throw new Error(`it holds ${cache.count()} entries, not ${entries}`);
  const nsEach = (ms: number): number => (ms * 1e6) / operations;
  return finish({ nsPerGet: nsEach(getMs), nsPerSet: nsEach(setMs), nsPerReplace: nsEach(replaceMs) });
}
