/**
 * The runner: what a thread does with the messages it gets. It claims the items of its batches one by one, calls the
 * handler, and answers. Nothing that a handler does synchronously or through its promise can make it throw.
 *
 * Items of a batch are claimed in order. While fewer than `concurrency` calls wait, the next item is claimed, from
 * the next batch too when this one has nothing left, so that lanes do not run empty at the border of two batches.
 */
import type { MessagePort } from "node:worker_threads";
import {
  type BatchMessage,
  ControlRow,
  type FromThread,
  PROTOCOL_VERSION,
  type ThreadSetup,
  type ToThread,
  assertNever,
  toErrorRecord,
} from "@threadmill/protocol";
import { type TaskDefinition, kindOf, outputOf } from "../define-task.js";
import { watchAddons } from "./addons.js";
import { postDone } from "./answer.js";
import { callBatch } from "./batch-call.js";
import { BatchRun } from "./batch-run.js";
import { Details } from "./details.js";
import { callColumns } from "./column-calls.js";
import { callItems } from "./item-calls.js";
import { Lanes } from "./lanes.js";
import type { WaitingBatch } from "./readiness.js";
import { Recipe, type ReadyRecipe, natureOf } from "./recipe.js";
import { watchStops } from "./stop-watch.js";
import type { ContextHost } from "./task-context.js";
import { RecipeError } from "./task-module.js";

/** A handler that only waits is left behind after this share of the grace, well before its thread counts as stuck. */
const ABANDON_SHARE = 0.6;
/** Synchronous batches can follow one another without an end; timers and sockets of a handler get their turn. */
const TURN_MS = 50;
export interface RunnerOptions {
  /** Whether the thread is ours alone, so that its `process` may be watched. */
  readonly isOwnThread: boolean;
  readonly now?: () => number;
}

/** Starts a runner behind `setup.port`. It lives until it is told to close. */
export function startRunner(setup: ThreadSetup<MessagePort>, options: RunnerOptions): void {
  if (setup.version !== PROTOCOL_VERSION) {
    throw new Error(`PROTOCOL_MISMATCH: the engine speaks version ${setup.version}, this thread ${PROTOCOL_VERSION}`);
  }
  new Runner(setup, options).listen();
}

class Runner implements ContextHost {
  readonly now: () => number;
  readonly #port: MessagePort;
  readonly #row: ControlRow;
  readonly #abandonMs: number;
  readonly #stopWatches: readonly (() => void)[];
  readonly #recipes = new Map<number, Recipe>();
  readonly #described = new Set<number>();
  /** Batches that are not answered: the running one, and the one behind it. */
  readonly #runs: BatchRun[] = [];
  readonly #lanes = new Lanes(() => this.#pump());
  readonly #details: Details;
  #lastEnd = 0;
  #lastTurn = 0;
  #isYielding = false;
  #isPumping = false;

  constructor(setup: ThreadSetup<MessagePort>, options: RunnerOptions) {
    this.now = options.now ?? (() => performance.now());
    this.#port = setup.port;
    this.#row = new ControlRow(setup.control, setup.row, options.isOwnThread);
    this.#abandonMs = setup.graceMs * ABANDON_SHARE;
    this.#lastTurn = this.now();
    this.#details = new Details(this.now, (run, value) => this.#post(["detail", run.number, value]));
    if (options.isOwnThread) watchAddons(() => this.#row.noteAddon());
    this.#stopWatches = ([0, 1] as const).map((parity) => watchStops(this.#row, parity, () => this.#onStop()));
  }

  listen(): void {
    this.#port.on("message", (message: ToThread) => this.#onMessage(message));
    // What it was is not known here: the main thread has to find out.
    this.#port.on("messageerror", () => this.#post(["unreadable"]));
  }

  #post(message: FromThread): void {
    this.#port.postMessage(message);
  }

  #onMessage(message: ToThread): void {
    switch (message[0]) {
      case "batch":
        this.#onBatch(message);
        break;
      case "introduce": {
        const [, id, url, exportName, options] = message;
        const onImported = (definition: TaskDefinition): void => {
          if (this.#recipes.get(id) === recipe) this.#describe(id, definition);
        };
        const recipe = new Recipe({ url, exportName, options, row: this.#row, onImported });
        this.#recipes.set(id, recipe);
        break;
      }
      case "forget": {
        const recipe = this.#recipes.get(message[1]);
        this.#recipes.delete(message[1]);
        this.#described.delete(message[1]);
        void recipe?.forget();
        break;
      }
      case "which":
        this.#post(["held", this.#runs.map(({ number }) => number)]);
        break;
      case "close":
        void this.#close();
        break;
      default:
        assertNever(message);
    }
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#recipes.values()].map((recipe) => recipe.forget()));
    for (const end of this.#stopWatches) end();
    this.#details.close();
    this.#post(["closed"]);
    this.#port.close();
  }

  #onBatch(message: BatchMessage): void {
    const [, number, id] = message;
    const recipe = this.#recipes.get(id);
    if (recipe === undefined) {
      const text = `batch ${number} names a recipe that this thread was not given`;
      this.#post(["broken", number, "PROTOCOL_MISMATCH", { name: "ProtocolError", message: text }]);
      return;
    }
    recipe.acquire();
    this.#runs.push(new BatchRun(message, recipe, this.#row));
    if (recipe.definition !== undefined) this.#describe(id, recipe.definition);
    this.#pump();
  }

  #describe(id: number, definition: TaskDefinition): void {
    if (this.#described.has(id)) return;
    this.#described.add(id);
    const { concurrency = 1, maxBatchItems = 0 } = definition;
    this.#post(["described", id, kindOf(definition), concurrency, maxBatchItems, outputOf(definition)]);
  }

  /** Starts whatever can be started. Called after every message and every end of a call. */
  #pump(): void {
    if (this.#isPumping || this.#isYielding) return;
    if (this.now() - this.#lastTurn > TURN_MS && this.#runs.length > 0) {
      this.#isYielding = true;
      setImmediate(() => {
        this.#isYielding = false;
        this.#lastTurn = this.now();
        this.#pump();
      });
      return;
    }
    this.#isPumping = true;
    try {
      for (let at = 0; at < this.#runs.length;) {
        const run = this.#runs[at] as BatchRun;
        if (!run.exhausted) this.#advance(run);
        if (run.exhausted && run.open === 0) {
          this.#runs.splice(at, 1);
          this.#finish(run);
        } else if (run.exhausted && run.recipe.definition?.item !== undefined) {
          at++; // Its lanes are thinning out: fill them from the batch behind.
        } else {
          return;
        }
      }
    } finally {
      this.#isPumping = false;
    }
  }

  /** Claims and starts items until the lanes are full or nothing is left. */
  #advance(run: BatchRun): void {
    if (run.isStopped) {
      run.exhausted = true;
      return;
    }
    // Also one whose setup is over: it goes on when it is told.
    if (run.isWaiting) return;
    const ready = run.recipe.ready;
    if (ready === undefined) {
      this.#prepare(run);
      return;
    }
    if (!run.hasBegun) this.#begin(run, ready);
    const { definition, resource } = ready;
    if (definition.item !== undefined) callItems(run, definition, resource, this.#lanes, this);
    else if (this.#lanes.inFlight > 0) return;
    else if (definition.batch !== undefined) callBatch(run, definition, resource, this.#lanes, this);
    else callColumns(run, definition, resource, this);
  }

  #begin(run: BatchRun, ready: ReadyRecipe): void {
    run.startedAt = this.now();
    run.hasBegun = true;
    this.#row.enter(natureOf(ready.definition));
  }

  /** Has the task loaded and set up; the batch goes on when that is done, or when it may leave after a stop. */
  #prepare(run: BatchRun): void {
    const { readiness } = run.recipe;
    run.startedAt = this.now();
    run.isWaiting = true;
    run.open++;
    this.#row.noteLoading(run.number);
    const settle = (): void => {
      run.isWaiting = false;
      run.open--;
      run.aborters.delete(leaveIfFree);
      run.abandoners.delete(leave);
    };
    const leave = (): void => {
      readiness.leave(batch);
      settle();
    };
    const leaveIfFree = (): void => {
      if (readiness.letsGo) leave();
    };
    const batch: WaitingBatch = {
      isStopped: () => run.isStopped,
      goOn: () => {
        settle();
        const { ready } = run.recipe;
        if (ready === undefined) run.exhausted = true;
        else {
          // The time of the setup is not the items' time.
          this.#lastEnd = this.now();
          this.#begin(run, ready);
        }
        this.#pump();
      },
      fail: (error) => {
        settle();
        if (run.isStopped) run.exhausted = true;
        else {
          this.#drop(run);
          if (error instanceof RecipeError) this.#post(["broken", run.number, error.code, error.record]);
          else this.#post(["broken", run.number, "SETUP_FAILED", toErrorRecord(error)]);
          run.recipe.release();
        }
        this.#pump();
      },
    };
    run.aborters.add(leaveIfFree);
    run.abandoners.add(leave);
    readiness.wait(batch);
  }

  /** Some batch was stopped: its signals fire, and what does not come back in time is left behind. */
  #onStop(): void {
    for (const run of [...this.#runs]) {
      if (!run.isStopped || run.stopSeen) continue;
      run.stopSeen = true;
      run.exhausted = true;
      for (const abort of [...run.aborters]) abort(undefined);
      // It need not wait for the batch ahead of it to say that it has nothing.
      if (run.open === 0) {
        this.#drop(run);
        this.#finish(run);
        continue;
      }
      run.abandonTimer = setTimeout(() => {
        for (const abandon of [...run.abandoners]) abandon();
        this.#pump();
      }, this.#abandonMs);
    }
    this.#pump();
  }

  #finish(run: BatchRun): void {
    clearTimeout(run.abandonTimer);
    if (run.hasBegun) this.#row.leave(natureOf(run.recipe.definition));
    run.recipe.release();
    const now = this.now();
    const elapsedMs = Math.max(now - Math.max(run.startedAt, this.#lastEnd), 0);
    this.#lastEnd = now;
    this.#details.flush(run);
    if (run.isStopped) this.#answerEmpty(run);
    else if (run.spoilt !== undefined) this.#post(["spoilt", run.number, ...run.spoilt, elapsedMs]);
    else postDone(this.#port, run, elapsedMs, this.now);
  }

  #answerEmpty(run: BatchRun): void {
    this.#post(["done", run.number, 0, [], undefined, 0, 0]);
  }

  #drop(run: BatchRun): void {
    const at = this.#runs.indexOf(run);
    if (at !== -1) this.#runs.splice(at, 1);
  }

  detail(run: BatchRun, value: unknown): void {
    this.#details.give(run, value);
  }
}
