/** A function that answers at once, called through whatever remembers its answers: the time of a call that is a hit. */
import { ResultCache, memoize } from "@threadmill/cache";
import { finish, number, text } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import { type Photo, keyOf, makePhoto } from "./photos.js";
import { seeded } from "./random.js";

const maxEntries = number("entries");
const operations = number("operations");
const random = seeded(1);
const order = Uint32Array.from({ length: operations }, () => Math.floor(random() * maxEntries));
let made = 0;

const nsPerCall = text("form") === "async" ? await asynchronous() : await synchronous(remembering());
if (made !== maxEntries) throw new Error(`${made} answers were made for ${maxEntries} questions`);
finish({ nsPerCall });

function make(id: number): Photo {
  made++;
  return makePhoto(id);
}

function remembering(): (id: number) => Photo {
  const form = text("form");
  if (form === "memoize") return memoize(make, { key: keyOf, maxEntries });
  if (form === "fingerprint") return memoize(make, { maxEntries });
  return form === "map" ? byMap() : byCache();
}

/** As most people write it at first: without any bound. */
function byMap(): (id: number) => Photo {
  const known = new Map<string, Photo>();
  return (id) => {
    const key = keyOf(id);
    let photo = known.get(key);
    if (photo === undefined) known.set(key, (photo = make(id)));
    return photo;
  };
}

function byCache(): (id: number) => Photo {
  const known = new ResultCache<Photo>({ maxEntries });
  return (id) => {
    const key = keyOf(id);
    let photo = known.get(key);
    if (photo === undefined) known.set(key, (photo = make(id)));
    return photo;
  };
}

/** Nanoseconds a call. */
async function synchronous(call: (id: number) => Photo): Promise<number> {
  for (let id = 0; id < maxEntries; id++) call(id);
  const ms = await medianMs(number("warmUps"), number("repeats"), () => {
    for (const id of order) if (call(id).id !== id) throw new Error(`another answer than that of ${id}`);
  });
  return (ms * 1e6) / operations;
}

async function asynchronous(): Promise<number> {
  const call = memoize(async (id: number) => make(id), { key: keyOf, maxEntries });
  for (let id = 0; id < maxEntries; id++) await call(id);
  const ms = await medianMs(number("warmUps"), number("repeats"), async () => {
    for (const id of order) if ((await call(id)).id !== id) throw new Error(`another answer than that of ${id}`);
  });
  return (ms * 1e6) / operations;
}
