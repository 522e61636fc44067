/** The order in which events are handled and users are told, however deep one leads to another. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Turns } from "../../src/turns.js";

describe("a turn", () => {
  it("handles what an event leads to before dispatch returns", () => {
    const handled: number[] = [];
    const turns = new Turns<number>((event) => {
      handled.push(event);
      if (event < 3) turns.dispatch(event + 1);
      handled.push(-event);
    });
    turns.dispatch(1);
    expect(handled).toEqual([1, -1, 2, -2, 3, -3]);
  });

  it("tells users at rest, and lets what they do start a turn of its own", () => {
    const seen: string[] = [];
    const turns = new Turns<string>((event) => {
      seen.push(`${event} begins`);
      turns.later(() => {
        seen.push(`told of ${event}`);
        if (event === "one") turns.dispatch("two");
        seen.push(`told all of ${event}`);
      });
      seen.push(`${event} ends`);
    });
    turns.dispatch("one");
    expect(seen).toEqual([
      "one begins",
      "one ends",
      "told of one",
      "two begins",
      "two ends",
      "told all of one",
      "told of two",
      "told all of two",
    ]);
  });

  it("tells nobody anything before the caller's caller has returned, where it is quiet", async () => {
    const seen: string[] = [];
    const turns = new Turns<string>((event) => {
      seen.push(event);
      turns.later(() => seen.push(`told of ${event}`));
    });
    turns.dispatchQuietly(() => seen.push("first"), "one");
    turns.dispatchQuietly(() => seen.push("second"), "two");
    expect(seen).toEqual(["one", "two"]);
    await Promise.resolve();
    expect(seen).toEqual(["one", "two", "first", "told of one", "second", "told of two"]);
  });

  it("goes on after one that threw: what was left is handled and told with the next", () => {
    const seen: string[] = [];
    const turns = new Turns<string>((event) => {
      seen.push(event);
      turns.later(() => seen.push(`told of ${event}`));
      if (event !== "bad") return;
      turns.dispatch("after");
      throw new Error("a bug");
    });
    expect(() => turns.dispatch("bad")).toThrow("a bug");
    turns.dispatch("next");
    expect(seen).toEqual(["bad", "after", "next", "told of bad", "told of after", "told of next"]);
  });
});

/** What an event, or a user who is told, does: one thing after the other, each with consequences of its own. */
interface Act {
  readonly kind: "dispatch" | "quietly" | "later";
  readonly next: readonly Act[];
}

describe("whatever leads to whatever", () => {
  const kinds = fc.constantFrom("dispatch" as const, "quietly" as const, "later" as const);
  const acts: fc.Memo<Act[]> = fc.memo((depth) =>
    fc.array(fc.record({ kind: kinds, next: depth <= 1 ? fc.constant([]) : acts(depth - 1) }), { maxLength: 3 }),
  );

  it("every event is handled and every user told, once, one at a time, and no user in the middle of an event", async () => {
    await fc.assert(
      fc.asyncProperty(acts(4), async (drawn) => {
        const wrongs: string[] = [];
        let given = 0;
        let done = 0;
        let isHandling = false;
        let isTelling = false;
        let lastHandled = 0;
        let nextEvent = 1;
        const perform = ({ kind, next }: Act): void => {
          given++;
          const tell = (): void => {
            if (isHandling) wrongs.push("a user was told in the middle of an event");
            if (isTelling) wrongs.push("a user was told while another was");
            isTelling = true;
            done++;
            for (const one of next) perform(one);
            isTelling = false;
          };
          if (kind === "later") turns.later(tell);
          else if (kind === "dispatch") {
            const event = { number: nextEvent++, next };
            turns.dispatch(event);
            if (!isHandling && lastHandled < event.number) wrongs.push("dispatch returned too early");
          } else {
            given++;
            turns.dispatchQuietly(tell, { number: nextEvent++, next: [] });
          }
        };
        const turns = new Turns<{ readonly number: number; readonly next: readonly Act[] }>(({ number, next }) => {
          if (isHandling) wrongs.push("an event was handled in the middle of another");
          if (number !== lastHandled + 1) wrongs.push(`event ${number} came after ${lastHandled}`);
          isHandling = true;
          lastHandled = number;
          done++;
          for (const one of next) perform(one);
          isHandling = false;
        });
        for (const one of drawn) perform(one);
        await new Promise((resolve) => setImmediate(resolve));
        expect(wrongs).toEqual([]);
        expect(done).toBe(given);
      }),
      { numRuns: 500 },
    );
  });
});
