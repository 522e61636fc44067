/** Looks for a number whose hash begins with zeros: work that takes as long as it takes. */
import { createHash } from "node:crypto";
import type { ItemContext } from "@threadmill/workers";

export function search(seed: number, ctx: ItemContext): { seed: number; tries: number; hash: string } {
  for (let tries = 1; ; tries++) {
    // One atomic load: a loop that never returns to the event loop cannot hear of a cancel in any other way.
    if ((tries & 1023) === 0) ctx.throwIfCancelled();
    const hash = createHash("sha256").update(`${seed}:${tries}`).digest("hex");
    if (hash.startsWith("000")) return { seed, tries, hash };
  }
}
