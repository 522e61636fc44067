/**
 * Revocation under stress: two threads that run the real runner, and a main thread that gives them batches, looks on
 * while they claim, and takes items back in the middle of it, again and again. Every item says in shared memory that it
 * was run; at the end of a round each has been run once, wherever it was moved.
 */
import { task } from "@threadmill/engine";
import { ControlBlock } from "@threadmill/protocol";
import { Random } from "../random.js";
import { type BatchAnswer, ClaimingThread, type OutBatch } from "./claiming-thread.js";
import { compiled } from "./compiled.js";
import { Stock } from "./stock.js";
import type * as tasks from "./tasks.js";

/** How the handlers of a run work. */
export const REVOCATION_MODES = ["items", "lanes", "batches"] as const;
export type RevocationMode = (typeof REVOCATION_MODES)[number];

const url = compiled("tasks.js");
const TASKS = {
  items: task<typeof tasks.counting>(url, "counting"),
  lanes: task<typeof tasks.countingLater>(url, "countingLater"),
  batches: task<typeof tasks.countingBatch>(url, "countingBatch"),
} as const;

export interface RevocationBudget {
  readonly seconds: number;
  readonly seed: number;
  readonly mode: RevocationMode;
  /** Ends earlier, after the round in which so many items were moved. Default: never. */
  readonly moves?: number;
  /** Ends earlier, after the round that found something. Default: goes on, and counts. */
  readonly endsWhenFound?: boolean;
  /** For a planted bug. */
  readonly createControl?: (rows: number) => ControlBlock;
}

export interface RevocationFigures {
  readonly mode: RevocationMode;
  /** Items that were run, each in one round. */
  items: number;
  batches: number;
  /** Items that a revocation took back, each time that one did. */
  moves: number;
  revocations: number;
  /** Those that met a batch which its thread had begun. */
  revocationsInMidBatch: number;
  /** Answers that gave back what neither side owned after a revocation: it was seen as claimed, and the claim failed. */
  contested: number;
  stops: number;
  runTwice: number;
  lost: number;
}

const CELLS = 2 ** 18;
const THREADS = 2;
/** The main thread looks so often at most for what it waits for, and then acts all the same. */
const MOST_LOOKS = 20_000;
const YIELD_MS = 50;
const PATIENCE_MS = 60_000;

export async function soakRevocation(budget: RevocationBudget): Promise<RevocationFigures> {
  const soak = new Soak(budget);
  try {
    await soak.run(budget);
  } finally {
    await soak.end();
  }
  return soak.figures;
}

class Soak {
  readonly figures: RevocationFigures;
  readonly #random: Random;
  readonly #stock = new Stock(CELLS);
  readonly #runs = new Uint8Array(new SharedArrayBuffer(CELLS));
  /** What answers have said: each cell once. */
  readonly #delivered = new Uint8Array(CELLS);
  readonly #threads: readonly ClaimingThread[];
  #answeredAt = performance.now();

  constructor({ seed, mode, createControl = (rows) => new ControlBlock(rows) }: RevocationBudget) {
    this.figures = {
      mode,
      items: 0,
      batches: 0,
      moves: 0,
      revocations: 0,
      revocationsInMidBatch: 0,
      contested: 0,
      stops: 0,
      runTwice: 0,
      lost: 0,
    };
    this.#random = new Random(seed);
    const control = createControl(THREADS);
    this.#threads = Array.from(
      { length: THREADS },
      (_, row) => new ClaimingThread(control, row, TASKS[mode], this.#runs.buffer),
    );
  }

  async run({ seconds, moves = Infinity, endsWhenFound = false }: RevocationBudget): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.online()));
    const end = performance.now() + seconds * 1_000;
    for (;;) {
      await this.#round(end);
      if (performance.now() >= end || this.figures.moves >= moves) return;
      if (endsWhenFound && this.figures.runTwice + this.figures.lost > 0) return;
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }

  /** Runs every cell once, and looks whether that is so. When the time is over, it lets the threads come to an end. */
  async #round(end: number): Promise<void> {
    this.#runs.fill(0);
    this.#delivered.fill(0);
    this.#stock.refill();
    this.#answeredAt = performance.now();
    for (let yieldAt = this.#answeredAt; this.#stock.size > 0 || this.#threads.some(isBusy);) {
      for (const thread of this.#threads) this.#serve(thread);
      const now = performance.now();
      if (now < end) this.#act(this.#random.pick(this.#threads));
      if (now - this.#answeredAt > PATIENCE_MS) throw new Error(`no answer for ${PATIENCE_MS} ms`);
      if (now < Math.min(yieldAt, end)) continue;
      yieldAt = now + YIELD_MS;
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let cell = 0; cell < CELLS; cell++) {
      const runs = this.#runs[cell] as number;
      if (runs > 1) this.figures.runTwice++;
      if (runs === 0 || this.#delivered[cell] !== 1) this.figures.lost++;
    }
    this.figures.items += CELLS;
  }

  /** Takes the answers of a thread in, and gives it what it has room for. */
  #serve(thread: ClaimingThread): void {
    for (let answer = thread.receive(); answer !== undefined; answer = thread.receive()) this.#take(answer);
    while (thread.batches.length < 2 && this.#stock.size > 0) {
      thread.assign(this.#stock.take(this.#batchSize()));
      this.figures.batches++;
    }
  }

  /**
   * Large, so that a revocation moves many, or small, so that it meets both ends of a batch. A batch handler claims but
   * once for each.
   */
  #batchSize(): number {
    const isLarge = this.#random.chance(this.figures.mode === "batches" ? 0.3 : 0.85);
    return Math.round(2 ** (isLarge ? 12 + 4 * this.#random.next() : 12 * this.#random.next()));
  }

  #take({ batch, claimed, values }: BatchAnswer): void {
    this.#answeredAt = performance.now();
    const { cells, count } = batch;
    if (batch.isStopped) {
      this.#sortOut(cells.subarray(0, count));
      return;
    }
    for (let at = 0; at < claimed; at++) {
      const cell = cells[at] as number;
      if (values[at] !== cell) throw new Error(`batch ${batch.number} answers with values that are not its own`);
      this.#delivered[cell] = (this.#delivered[cell] as number) + 1;
    }
    if (claimed >= count) return;
    this.figures.contested++;
    this.#stock.put(cells.subarray(claimed, count));
  }

  /** Nobody says what a stopped batch has run, but the cells do: its thread has let go of it. */
  #sortOut(cells: Float64Array): void {
    let ran = 0;
    while (ran < cells.length && Atomics.load(this.#runs, cells[ran] as number) > 0) ran++;
    for (const cell of cells.subarray(0, ran)) this.#delivered[cell] = (this.#delivered[cell] as number) + 1;
    // Claims follow one another: beyond the first that was not run there is none.
    this.#stock.put(cells.subarray(ran));
  }

  /** Does something to a thread's batches, at some moment. */
  #act(thread: ClaimingThread): void {
    const open = thread.batches.filter((batch) => !batch.isStopped);
    const [running, behind] = open;
    if (running === undefined) return;
    this.#waitForAMoment(thread, running);
    const act = this.#random.weighted({
      nothing: 3,
      running: 6,
      behind: 4,
      both: 4,
      again: 3,
      stop: 0.3,
      both_stop: 0.3,
    });
    switch (act) {
      case "nothing":
        break;
      case "running":
        this.#revoke(thread, running);
        break;
      case "behind":
        this.#revoke(thread, behind ?? running);
        break;
      case "both":
        // The engine takes the batch behind first; a pause takes them in the order in which they were assigned.
        for (const batch of this.#random.chance(0.5) ? open : open.toReversed()) this.#revoke(thread, batch);
        break;
      case "again":
        for (let times = 2 + this.#random.below(3); times > 0; times--) {
          this.#revoke(thread, running);
          this.#spin();
        }
        break;
      case "stop":
        this.#stop(thread, this.#random.pick(open));
        break;
      case "both_stop":
        for (const batch of open) {
          this.#revoke(thread, batch);
          this.#stop(thread, batch);
        }
        break;
      default:
        act satisfies never;
    }
  }

  #revoke(thread: ClaimingThread, batch: OutBatch): void {
    const taken = thread.revoke(batch, this.#random.pick([0, 0, 0.5]), this.#random.pick([0, 0, 1]));
    this.figures.revocations++;
    if (thread.cur(batch) >= 0) this.figures.revocationsInMidBatch++;
    this.figures.moves += taken.length;
    if (taken.length > 0) this.#stock.put(taken);
  }

  #stop(thread: ClaimingThread, batch: OutBatch): void {
    thread.stop(batch);
    this.figures.stops++;
  }

  /** Looks on until the thread has come to some place, so that what follows hits it there; or for some time. */
  #waitForAMoment(thread: ClaimingThread, batch: OutBatch): void {
    // Near the beginning, near the end, anywhere.
    const far = this.#random.pick([8, 1_000, batch.count]);
    const place = this.#random.below(Math.max(Math.min(far, batch.count), 1));
    const kind = this.#random.weighted({ now: 1, spin: 2, claimed: 4, ran: 2 });
    switch (kind) {
      case "now":
        break;
      case "spin":
        this.#spin();
        break;
      case "claimed":
        for (let looks = 0; looks < MOST_LOOKS && thread.cur(batch) < place; looks++);
        break;
      case "ran": {
        const cell = batch.cells[batch.count - 1 - place] ?? 0;
        for (let looks = 0; looks < MOST_LOOKS && Atomics.load(this.#runs, cell) === 0; looks++);
        break;
      }
      default:
        kind satisfies never;
    }
  }

  #spin(): void {
    for (let spins = this.#random.below(2 ** this.#random.below(14)); spins > 0; spins--) Atomics.load(this.#runs, 0);
  }
}

function isBusy(thread: ClaimingThread): boolean {
  return thread.batches.length > 0;
}
