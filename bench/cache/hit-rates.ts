/** How much of the browsing is answered from a cache, of several sizes; no clock. */
import { ResultCache } from "@threadmill/cache";
import { LRUCache } from "lru-cache";
import { finish, number, text } from "../harness/report.js";
import { browse } from "./browsing.js";

const MIB = 1024 * 1024;

interface Cache {
  readonly get: (key: string) => Uint8Array | undefined;
  readonly set: (key: string, value: Uint8Array) => unknown;
  readonly heldBytes: () => number;
}

const trace = browse(number("lookUps"));
const bound = text("bound");
const figures: Record<string, number> = {};
for (const budgetMiB of [8, 32, 128]) {
  const { hitRate, mostBytes } = play(openCache(budgetMiB * MIB));
  figures[`hits${budgetMiB}`] = hitRate * 100;
  figures[`most${budgetMiB}`] = mostBytes / MIB;
}
finish(figures);

function openCache(budgetBytes: number): Cache {
  if (bound === "none") return unbounded();
  if (bound === "lru-cache") {
    const cache = new LRUCache<string, Uint8Array>({
      maxSize: budgetBytes,
      sizeCalculation: ({ byteLength }) => byteLength,
    });
    return {
      get: (key) => cache.get(key),
      set: (key, value) => cache.set(key, value),
      heldBytes: () => cache.calculatedSize,
    };
  }
  // The other bound is out of reach.
  const limits =
    bound === "bytes"
      ? { maxEntries: trace.length, maxBytes: budgetBytes }
      : { maxEntries: entriesFor(budgetBytes), maxBytes: Number.MAX_SAFE_INTEGER };
  const cache = new ResultCache<Uint8Array>(limits);
  return {
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value),
    heldBytes: () => cache.stats.bytes,
  };
}

/** What can be had at all: the first look at each picture is a miss. */
function unbounded(): Cache {
  const entries = new Map<string, Uint8Array>();
  let heldBytes = 0;
  return {
    get: (key) => entries.get(key),
    set: (key, value) => {
      entries.set(key, value);
      heldBytes += value.byteLength;
    },
    heldBytes: () => heldBytes,
  };
}

/** Looks everything up, and stores what is not there. */
function play(cache: Cache): { hitRate: number; mostBytes: number } {
  let hits = 0;
  let mostBytes = 0;
  for (const { key, sizeBytes } of trace) {
    const known = cache.get(key);
    if (known === undefined) {
      cache.set(key, new Uint8Array(sizeBytes));
      mostBytes = Math.max(mostBytes, cache.heldBytes());
    } else {
      if (known.byteLength !== sizeBytes) throw new Error(`${key} is not what was stored`);
      hits++;
    }
  }
  return { hitRate: hits / trace.length, mostBytes };
}

/** How many entries somebody would allow who has so much memory. */
function entriesFor(budgetBytes: number): number {
  if (bound === "entries") {
    const meanBytes = trace.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / trace.length;
    return Math.floor(budgetBytes / meanBytes);
  }
  // "entries that fit": the greatest number that never holds more than the budget, in hindsight.
  let fits = 1;
  for (let tooMany = trace.length; tooMany - fits > 1;) {
    const middle = (fits + tooMany) >> 1;
    if (mostHeldBy(middle) <= budgetBytes) fits = middle;
    else tooMany = middle;
  }
  return fits;
}

/** The most bytes that the last so many entries ever take; played with their sizes only. */
function mostHeldBy(maxEntries: number): number {
  const sizes = new Map<string, number>();
  let heldBytes = 0;
  let mostBytes = 0;
  for (const { key, sizeBytes } of trace) {
    if (sizes.delete(key)) heldBytes -= sizeBytes;
    sizes.set(key, sizeBytes);
    heldBytes += sizeBytes;
    if (sizes.size > maxEntries) {
      const [oldest, oldestBytes] = sizes.entries().next().value ?? ["", 0];
      sizes.delete(oldest);
      heldBytes -= oldestBytes;
    }
    mostBytes = Math.max(mostBytes, heldBytes);
  }
  return mostBytes;
}
