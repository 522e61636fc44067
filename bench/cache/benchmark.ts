/** What the bounds of a cache cost beside bare lru-cache, and what they are worth when an album is browsed. */
import type { Benchmark, Contestant } from "../harness/benchmark.js";

const program = (name: string): URL => new URL(`./${name}.js`, import.meta.url);

const ours = (size: "given" | "estimated", title: string): Contestant => ({
  name: `threadmill-${size}`,
  title,
  program: program("threadmill"),
  settings: { size },
});

const bare = (size: "none" | "given" | "estimated", title: string): Contestant => ({
  name: `lru-cache-${size}`,
  title,
  program: program("bare-lru-cache"),
  settings: { size },
});

const played = (bound: "bytes" | "entries" | "entries that fit" | "lru-cache" | "none", title: string): Contestant => ({
  name: bound.replaceAll(" ", "-"),
  title,
  program: program("hit-rates"),
  settings: { bound },
});

const remembering = (form: string, title: string): Contestant => ({
  name: form,
  title,
  program: program("memoized"),
  settings: { form },
});

export const cache: Benchmark = {
  name: "cache",
  title: "Caches",
  parts: [
    {
      name: "get-and-set",
      title: "10,000 small objects",
      about:
        "A full cache of 10,000 entries, bounded by entries and, but for the last, by bytes; values are objects of " +
        "five fields, keys are texts. Found: 1,000,000 look-ups of what is there, in random order. Stored: " +
        "1,000,000 new keys in turn, each of which pushes the oldest entry out. Replaced: 1,000,000 stores of " +
        "another value under keys that are there. 2 runs to warm up, the median of 5.",
      figures: [
        { name: "nsPerGet", title: "ns found", better: "lower" },
        { name: "nsPerSet", title: "ns stored", better: "lower" },
        { name: "nsPerReplace", title: "ns replaced", better: "lower" },
      ],
      settings: { entries: 10_000, maxBytes: 1024 ** 3, operations: 1_000_000, warmUps: 2, repeats: 5 },
      quick: { operations: 50_000, warmUps: 1, repeats: 1 },
      contestants: [
        ours("given", "Threadmill, sizes given"),
        ours("estimated", "Threadmill, sizes estimated"),
        bare("given", "lru-cache, sizes given"),
        bare("estimated", "lru-cache, sizes by `estimateBytes`"),
        bare("none", "lru-cache, without sizes"),
      ],
      // What it costs to know ages, uses, tags and bytes is stated; how much it may cost is for readers to say.
      bars: [],
    },
    {
      name: "browsing",
      title: "An album browsed: hit rates",
      about:
        "60,000 look-ups of thumbnails and previews, made by a model of browsing that is the same every time " +
        "(`cache/browsing.ts`): 3,000 photos in pages of 30; of a hundred steps 55 go to the next page, 20 one to " +
        "three pages back, 10 to one of the last ten pages on which a photo was opened, 5 to anywhere, 10 stay; on " +
        "every third page a photo is opened, swiped on from by up to five, and closed. Thumbnails have 6 to 26 kB, " +
        "previews 150 to 600 kB. Shown for caches of 8, 32 and 128 MiB: hits of a hundred look-ups, and the most " +
        "that was held. A bound of entries says nothing of memory: it is shown as small as it must be to never " +
        "hold more (found in hindsight), and as most people would choose it, as many as would fit if all were of " +
        "the mean size of a look-up.",
      figures: [
        { name: "hits32", title: "hits at 32 MiB, %", better: "higher" },
        { name: "most32", title: "held, MiB", better: "lower" },
        { name: "hits8", title: "hits at 8 MiB, %", better: "higher" },
        { name: "most8", title: "held, MiB", better: "lower" },
        { name: "hits128", title: "hits at 128 MiB, %", better: "higher" },
        { name: "most128", title: "held, MiB", better: "lower" },
      ],
      settings: { lookUps: 60_000 },
      // Nothing is timed, and nothing left to chance.
      rounds: 1,
      contestants: [
        played("bytes", "Threadmill, bounded by bytes"),
        played("entries that fit", "Threadmill, bounded by so few entries that they never hold more"),
        played("entries", "Threadmill, bounded by entries of the mean size"),
        played("lru-cache", "lru-cache, bounded by bytes"),
        played("none", "No bound: what can be had at all"),
      ],
      bars: [
        {
          text: "MiB held by a cache of 32 MiB",
          quantity: { kind: "figure", figure: "most32", of: "bytes" },
          atMost: 32,
        },
        {
          text: "hits at 32 MiB, of those that a bound of entries allows",
          quantity: { kind: "share", figure: "hits32", of: "bytes", against: "entries-that-fit" },
          atLeast: 1,
        },
        {
          text: "hits at 32 MiB, of those of lru-cache",
          quantity: { kind: "share", figure: "hits32", of: "bytes", against: "lru-cache" },
          atLeast: 0.99,
        },
      ],
    },
    {
      name: "memoize",
      title: "A call whose answer is remembered",
      about:
        "A function of one number that has been asked all of 10,000 questions; then 1,000,000 calls in random " +
        "order. The key is made of the number (`photo:17`), but for `fingerprint`, which is the default. 2 runs to " +
        "warm up, the median of 5.",
      figures: [{ name: "nsPerCall", title: "ns a call", better: "lower" }],
      settings: { entries: 10_000, operations: 1_000_000, warmUps: 2, repeats: 5 },
      quick: { operations: 50_000, warmUps: 1, repeats: 1 },
      contestants: [
        remembering("memoize", "Threadmill, `memoize`"),
        remembering("fingerprint", "Threadmill, `memoize`, key by fingerprint"),
        remembering("async", "Threadmill, `memoize` of an async function, awaited"),
        remembering("cache", "Threadmill, `get` and `set` by hand"),
        remembering("map", "A Map by hand, without a bound"),
      ],
      bars: [],
      logarithmic: true,
    },
  ],
};
