/**
 * The process that is killed: opens the cache in the file that it is given, says what it found, then counts up in all
 * entries and flushes, again and again, saying so before and after. One line each, written at once
 * and short enough for a pipe to take it whole:
 *
 *     opened 12    refused CACHE_FILE_IN_USE 4711    set 13    saved 13    warned CACHE_FILE_DAMAGED    broken …
 */
import { writeSync } from "node:fs";
import { ResultCache } from "@threadmill/cache";
import { type Counted, allKeys, countIn, entriesWith } from "./counter.js";

/** What a line begins with. */
export type Word = "opened" | "refused" | "set" | "saved" | "warned" | "broken";

function say(word: Word, ...rest: (string | number | undefined)[]): void {
  writeSync(1, `${[word, ...rest].join(" ")}\n`);
}

const [file = ""] = process.argv.slice(2);
try {
  const cache = await ResultCache.open<Counted>({
    persist: { file, flushMs: 5, onWarning: ({ code, message }) => say("warned", code, message) },
  });
  let count = countIn(allKeys().map((key) => cache.peek(key)));
  say("opened", count);
  for (;;) {
    count++;
    say("set", count);
    for (const [key, value] of entriesWith(count)) cache.set(key, value);
    // Now and then the timer's write is the one that is hit.
    if (count % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 8));
    await cache.flush();
    say("saved", count);
  }
} catch (error) {
  const { code, pid } = error as { readonly code?: string; readonly pid?: number };
  if (code === "CACHE_FILE_IN_USE") say("refused", code, pid);
  else say("broken", String(error));
}
