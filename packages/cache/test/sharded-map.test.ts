import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShardedMap } from "../src/sharded-map.js";

const keys = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.integer(),
  fc.constantFrom<unknown>(0, -0, NaN, Infinity, 0.5, 2 ** 40, 5n, true, undefined, null, "", "x".repeat(200)),
);

interface Stage {
  readonly map: ShardedMap<unknown, number>;
  readonly model: Map<unknown, number>;
  /** Taken on the way, each with what it must show for good. */
  readonly views: [ReadonlyMap<unknown, number>, Map<unknown, number>][];
}

/** What it answers, and what it should. */
type Step = (stage: Stage) => readonly [unknown, unknown];

const setting = fc.tuple(keys, fc.integer()).map(([key, value]): Step => {
  return ({ map, model }) => {
    map.set(key, value);
    model.set(key, value);
    return [map.get(key), value];
  };
});
const deleting = keys.map((key): Step => {
  return ({ map, model }) => [
    [map.has(key), map.delete(key), map.has(key)],
    [model.has(key), model.delete(key), false],
  ];
});
const viewing = fc.constant<Step>(({ map, model, views }) => {
  const view = map.view();
  views.push([view, new Map(model)]);
  return [view.size, model.size];
});
const steps = fc.array(fc.oneof(setting, deleting, viewing), { maxLength: 60 });
const ascending = (a: number, b: number): number => a - b;

describe("a map in parts", () => {
  it("is like a Map, and what was seen of it stays", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const stage: Stage = { map: new ShardedMap(), model: new Map(), views: [] };
        for (const step of list) {
          const [seen, due] = step(stage);
          expect(seen).toEqual(due);
        }
        const { map, model, views } = stage;
        views.push([map.view(), model]);
        for (const [view, expected] of views) {
          expect(view.size).toBe(expected.size);
          expect(new Map(view)).toEqual(expected);
          expect(new Set(view.keys())).toEqual(new Set(expected.keys()));
          expect([...view.values()].toSorted(ascending)).toEqual([...expected.values()].toSorted(ascending));
          view.forEach((value, key, itself) => {
            expect(itself).toBe(view);
            expect([expected.get(key), view.get(key), view.has(key)]).toEqual([value, value, true]);
          });
        }
      }),
    );
  });

  it("spreads the keys that people use", () => {
    const kinds: ((at: number) => unknown)[] = [
      (at) => at,
      (at) => at * 512,
      (at) => `photos/2026/album-${at % 7}/img_${at}.jpg`,
      (at) => `${at}:a long description of the thumbnail that is the same for all of them, 256 px, webp, q80`,
      (at) => BigInt(at) * 1_024n,
    ];
    for (const kind of kinds) {
      const map = new ShardedMap<unknown, number>();
      for (let at = 0; at < 51_200; at++) map.set(kind(at), at);
      expect(map.view().size).toBe(51_200);
      expect(map.fullestPart).toBeLessThan(500);
    }
  });
});
