/**
 * Revocations as the whole engine makes them: small jobs that arrive beside a big one (fairness), slow items after
 * quick ones (balance), pauses, cancels. No thread dies here, so that "at least once" is exactly once: an item of a
 * completed job was run once, one of a cancelled job at most once.
 */
import { type Engine, type JobHandle, type RunOptions, createEngine, task } from "@threadmill/engine";
import { Random } from "../random.js";
import { compiled } from "./compiled.js";
import type * as tasks from "./tasks.js";
import type { CountingOptions, UnevenItem } from "./tasks.js";

export interface EngineRevocationFigures {
  rounds: number;
  completed: number;
  cancelled: number;
  pauses: number;
  /** Items of completed jobs. */
  items: number;
  /** As `engine.stats()` counts them. */
  moves: number;
  runTwice: number;
  lost: number;
  threadsLost: number;
}

const url = compiled("tasks.js");
const TASKS = [
  task<typeof tasks.uneven>(url, "uneven"),
  task<typeof tasks.unevenLater>(url, "unevenLater"),
  task<typeof tasks.unevenBatch>(url, "unevenBatch"),
] as const;

const CELLS = 2 ** 18;
const BIG_JOBS = 2;
const SMALL_JOBS = 60;
const SLOW_LOOKS = 20_000;

/** `seconds` is looked at between rounds, of which there is at least one. */
export async function soakEngineRevocation(budget: {
  readonly seconds: number;
  readonly seed: number;
}): Promise<EngineRevocationFigures> {
  const engine = createEngine({ threads: 2 });
  const random = new Random(budget.seed);
  const figures: EngineRevocationFigures = {
    rounds: 0,
    completed: 0,
    cancelled: 0,
    pauses: 0,
    items: 0,
    moves: 0,
    runTwice: 0,
    lost: 0,
    threadsLost: 0,
  };
  const runs = new SharedArrayBuffer(CELLS);
  try {
    const end = performance.now() + budget.seconds * 1_000;
    do await new Round(engine, random, figures, runs).run();
    while (performance.now() < end);
    const { revokedItems, threadsLost, threadsStuck } = engine.stats();
    Object.assign(figures, { moves: revokedItems, threadsLost: threadsLost + threadsStuck });
  } finally {
    await engine.close({ deadlineMs: 0 });
  }
  return figures;
}

interface RoundJob {
  readonly handle: JobHandle<number>;
  readonly firstCell: number;
  readonly count: number;
}

class Round {
  readonly #engine: Engine;
  readonly #random: Random;
  readonly #figures: EngineRevocationFigures;
  readonly #cells: Uint8Array;
  readonly #options: CountingOptions;
  readonly #jobs: RoundJob[] = [];
  readonly #endings: Promise<void>[] = [];
  #nextCell = 0;

  constructor(engine: Engine, random: Random, figures: EngineRevocationFigures, runs: SharedArrayBuffer) {
    this.#engine = engine;
    this.#random = random;
    this.#figures = figures;
    this.#options = { runs };
    this.#cells = new Uint8Array(runs);
  }

  async run(): Promise<void> {
    this.#cells.fill(0);
    for (let big = 0; big < BIG_JOBS; big++) this.#start(CELLS / 4 + this.#random.below(CELLS / 8));
    for (let small = 0; small < SMALL_JOBS; small++) {
      await this.#aWhile();
      this.#start(1 + this.#random.below(2 ** this.#random.below(10)));
      if (this.#random.chance(0.2)) this.#pauseOne();
      if (this.#random.chance(0.1)) this.#random.pick(this.#jobs).handle.cancel();
    }
    await Promise.all(this.#endings);
    await Promise.all(this.#jobs.map(({ handle }) => handle.stopped));
    for (const job of this.#jobs) this.#judge(job);
    this.#figures.rounds++;
  }

  #start(count: number): void {
    const firstCell = this.#nextCell;
    this.#nextCell += count;
    const handle = this.#engine.run(this.#random.pick(TASKS), this.#items(firstCell, count), {
      options: this.#options,
      ...this.#rules(),
    });
    this.#jobs.push({ handle, firstCell, count });
    this.#endings.push(
      handle.result.then(
        () => undefined,
        (error: unknown) => {
          if (handle.state !== "cancelled") throw error;
        },
      ),
    );
  }

  /**
   * Large batches of a size that is asked for, too, so that a revocation has much to take; and time limits that nobody
   * reaches, under which a thread claims in another way.
   */
  #rules(): Pick<RunOptions<UnevenItem, CountingOptions>, "batchSize" | "timeoutMs" | "weight"> {
    return {
      weight: this.#random.pick([0.5, 1, 4]),
      ...(this.#random.chance(0.4) ? { batchSize: 4_096 } : {}),
      ...(this.#random.chance(0.2) ? { timeoutMs: 600_000 } : {}),
    };
  }

  /** Quick ones first, so that batches grow, and then some slow ones, which hide in a large batch. */
  #items(firstCell: number, count: number): UnevenItem[] {
    const slow = Math.min(count, this.#random.below(100));
    return Array.from({ length: count }, (_, at) => ({
      cell: firstCell + at,
      looks: at >= count - slow ? this.#random.below(SLOW_LOOKS) : 0,
    }));
  }

  #pauseOne(): void {
    const { handle } = this.#random.pick(this.#jobs);
    this.#figures.pauses++;
    const resume = async (): Promise<void> => {
      await handle.pause();
      await this.#aWhile();
      handle.resume();
    };
    this.#endings.push(resume());
  }

  /** Some turns of the event loop. */
  async #aWhile(): Promise<void> {
    for (let turns = this.#random.below(20); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  }

  #judge({ handle, firstCell, count }: RoundJob): void {
    const isComplete = handle.state === "completed";
    if (isComplete) {
      this.#figures.completed++;
      this.#figures.items += count;
    } else {
      this.#figures.cancelled++;
    }
    for (let cell = firstCell; cell < firstCell + count; cell++) {
      const runs = this.#cells[cell] as number;
      if (runs > 1) this.#figures.runTwice++;
      if (runs === 0 && isComplete) this.#figures.lost++;
    }
  }
}
