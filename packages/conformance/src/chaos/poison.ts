/** Poison items: a few in thousands that kill their thread or throw stand alone, and all others are delivered. */
import type { Engine, EngineOptions } from "@threadmill/engine";
import { chaotic, chaoticBatch, chaoticByFour } from "../fixtures/index.js";
import type { ChaoticItem } from "../fixtures/chaotic.js";
import { Random } from "../random.js";
import { RunLog } from "../run-log.js";

export const poisonTasks = {
  "one item at a time": chaotic,
  "four items at a time": chaoticByFour,
  "batch handlers": chaoticBatch,
} as const;

export interface PoisonOptions {
  readonly seed: number;
  readonly threads: number;
  readonly kind: keyof typeof poisonTasks;
  readonly items: number;
  readonly killers: number;
  readonly throwers: number;
  readonly createEngine: (options: EngineOptions) => Engine;
}

export interface PoisonReport {
  /** By index, how each item that failed ended; and how each one that is poison should have. */
  readonly failed: readonly string[];
  readonly expected: readonly string[];
  /** Outcomes that a loop was given, and how many of them were for an index that it had seen, or had another's value. */
  readonly delivered: number;
  readonly wrong: number;
  readonly threadsLost: number;
}

/** The first and the last item, two neighbours, and others by chance. */
function drawPlaces(random: Random, items: number, count: number, taken: Set<number>): number[] {
  const free = (at: number): number => (taken.has(at % items) ? free(at + 1) : at % items);
  const places: number[] = [];
  const add = (at: number): number => {
    const place = free(at);
    taken.add(place);
    places.push(place);
    return place;
  };
  add(0);
  add(items - 1);
  const middle = add(random.below(items));
  add(middle + 1);
  while (places.length < count) add(random.below(items));
  return places;
}

export async function runPoison(options: PoisonOptions): Promise<PoisonReport> {
  const { seed, threads, kind, items: count, createEngine } = options;
  const random = new Random(seed);
  const taken = new Set<number>();
  const killers = new Set(drawPlaces(random, count, options.killers, taken));
  const throwers = new Set(drawPlaces(random, count, options.throwers, taken));
  const items = Array.from({ length: count }, (_, index): ChaoticItem => {
    return { work: 1, index, deed: killers.has(index) ? "exits" : throwers.has(index) ? "throws" : "none" };
  });
  const engine = createEngine({ threads });
  const handle = engine.run(poisonTasks[kind], items, {
    onError: "collect",
    options: { log: new RunLog(10 * count).shared },
  });
  const seen = new Set<number>();
  let wrong = 0;
  for await (const outcomes of handle.batches()) {
    for (const { index, ...outcome } of outcomes) {
      if (seen.has(index) || (outcome.status === "completed" && outcome.value.index !== index)) wrong++;
      seen.add(index);
    }
  }
  const { failures } = await handle.result;
  const failed = failures.map(({ index, error }) => `${index} ${error.code}`);
  const expected = [...taken]
    .toSorted((a, b) => a - b)
    .map((index) => `${index} ${killers.has(index) ? "THREAD_LOST" : "TASK_FAILED"}`);
  const { threadsLost } = engine.stats();
  await engine.close();
  return { failed, expected, delivered: seen.size, wrong, threadsLost };
}
