/**
 * One engine among whose healthy jobs something chaotic happens. Whatever it is: healthy jobs complete, every history is
 * what the design promises, and afterwards each slot has a thread that works.
 */
import type { Engine, EngineOptions, RunOptions } from "@threadmill/engine";
import { checkHistory } from "../checker.js";
import { gated, logged, loggedBatch, loggedByFour } from "../fixtures/index.js";
import type { Act, LoggedItem, LoggedOptions } from "../fixtures/logged.js";
import { Gate } from "../gate.js";
import type { Rules } from "../history.js";
import { Random } from "../random.js";
import type { LoggedTask } from "../random-job.js";
import { type Handle, Recorder } from "../recorder.js";
import { RunLog } from "../run-log.js";

export interface ChaosOptions {
  readonly seed: number;
  readonly threads: number;
  readonly createEngine: (options: EngineOptions) => Engine;
  /** When nothing is hoped for any more. Default: 20 s. */
  readonly patienceMs?: number;
}

export interface ChaosReport {
  /** One message per broken promise. */
  readonly violations: readonly string[];
  readonly figures: ChaosFigures;
}

/** What can be added up over many runs. */
export interface ChaosFigures {
  readonly jobs: number;
  readonly items: number;
  readonly threadsStarted: number;
  readonly threadsLost: number;
  readonly threadsStuck: number;
  readonly droppedMessages: number;
}

const PATIENCE_MS = 20_000;
/** Beyond it a thread counts as stuck. A healthy one on a busy machine should not. */
const GRACE_MS = 250;
const HEALTHY_ITEMS = 120;

/** Healthy jobs: each of them with a handler of another kind. */
const healthyTasks: Readonly<Record<string, LoggedTask>> = { logged, loggedByFour, loggedBatch };

export class Stage {
  readonly engine: Engine;
  readonly random: Random;
  readonly recorder = new Recorder(new RunLog());
  readonly violations: string[] = [];
  readonly #threads: number;
  readonly #patience: Patience;
  readonly #healthy = new Map<Handle, string>();
  /** How often the engine said so of its threads. */
  readonly #seen = { stuck: 0, returned: 0, failed: 0 };
  #works = 0;

  constructor({ seed, threads, createEngine, patienceMs = PATIENCE_MS }: ChaosOptions) {
    this.random = new Random(seed);
    this.#threads = threads;
    this.#patience = new Patience(patienceMs);
    this.engine = createEngine({ graceMs: GRACE_MS, batchMs: 5, threads });
    this.recorder.watch(this.engine);
    this.engine.on("thread", ({ type }) => {
      if (type === "stuck" || type === "returned" || type === "failed") this.#seen[type]++;
    });
  }

  /** Every job that is run here has a number of its own, which its items carry. */
  nextWork(): number {
    return ++this.#works;
  }

  /** Follows a job, and reads it by one loop. */
  follow(handle: Handle, work: number, rules: Rules): void {
    this.recorder.follow(handle, work, "new", rules);
    if (rules.collects) this.recorder.read(handle, { by: "batches", ordered: false });
  }

  startHealthyJobs(): void {
    for (const [name, task] of Object.entries(healthyTasks)) {
      const work = this.nextWork();
      const { random } = this;
      const acts: Readonly<Record<"quick" | "turn" | "busy" | "flaky", number>> = {
        quick: 20,
        turn: 4,
        busy: 2,
        flaky: 2,
      };
      const items = Array.from({ length: HEALTHY_ITEMS }, (_, index): LoggedItem => {
        return { work, index, act: random.weighted<Act & keyof typeof acts>(acts), succeedsAt: 2 };
      });
      const options: RunOptions<LoggedItem, LoggedOptions> & { readonly options: LoggedOptions } = {
        id: `healthy ${name} ${work}`,
        retry: { attempts: 2, backoffMs: 1 },
        options: { log: this.recorder.log.shared },
      };
      const handle = this.engine.run(task, random.chance(0.5) ? items : items.values(), options);
      this.#healthy.set(handle, name);
      this.follow(handle, work, {
        task: name,
        items: items.length,
        attempts: 2,
        onError: "fail",
        collects: true,
        hasTimeout: false,
        maxInFlight: undefined,
      });
    }
  }

  /** Waits until it holds, looking again whenever the engine has said something, or gives up. */
  async until(what: string, holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#patience.isOver) {
        this.violations.push(`waited in vain for ${what}`);
        return;
      }
      await Promise.race([this.#patience.over, turnAfter(2)]);
    }
  }

  /** Waits until nothing is live any more, or so long. */
  async rest(mostMs: number): Promise<void> {
    const time = new Patience(mostMs);
    await Promise.race([this.engine.drain(), this.#patience.over, time.over]);
    time.end();
  }

  /** Waits for all jobs; then checks what they went through, and that the engine is `asNew`, unless it need not be. */
  async finish({ asNew }: { readonly asNew: boolean } = { asNew: true }): Promise<ChaosReport> {
    await this.recorder.rest(this.engine, this.#patience.over);
    for (const [handle, name] of this.#healthy) {
      if (handle.state !== "completed") this.violations.push(`the healthy job ${name} is ${handle.state}`);
    }
    if (asNew) await this.#checkCapacity();
    await this.until("threads that were set aside to be ended", () => this.#seen.stuck <= this.#seen.returned);
    return this.finishClosed();
  }

  /** The same where the engine is closed, or is to be closed now: it leaves nothing behind. */
  async finishClosed(): Promise<ChaosReport> {
    await this.recorder.rest(this.engine, this.#patience.over);
    // What was waited for in vain has been noted; it must not be waited for again.
    const { leftBehind } = await this.engine.close(this.#patience.isOver ? { deadlineMs: 0 } : {});
    if (leftBehind.length > 0) this.violations.push(`close left the threads of slots ${leftBehind.join()} behind`);
    this.#patience.end();
    this.violations.push(...checkHistory(this.recorder.history));
    const { threadsStarted, threadsLost, threadsStuck, droppedMessages } = this.engine.stats();
    const items = this.recorder.handles.reduce((sum, { progress }) => sum + progress.completed + progress.failed, 0);
    return {
      violations: this.violations,
      figures: { jobs: this.#works, items, threadsStarted, threadsLost, threadsStuck, droppedMessages },
    };
  }

  /** One item in each slot at once: none comes back before all are there. */
  async #checkCapacity(): Promise<void> {
    const gate = new Gate();
    const items = Array.from({ length: this.#threads }, (_, value) => ({ value, gate: gate.shared }));
    const all = this.engine.run(gated, items, { batchSize: 1 });
    await this.until("a thread in every slot", () => gate.arrivals === this.#threads);
    const states = this.engine.stats().threads.map(({ state }) => state);
    gate.open();
    if (this.#patience.isOver) all.cancel();
    else await Promise.race([all.result, this.#patience.over]);
    if (all.state !== "completed") this.violations.push(`the job over all slots is ${all.state}`);
    if (states.length !== this.#threads || states.some((state) => state !== "busy")) {
      this.violations.push(`${this.#threads} busy threads were expected, not ${states.join()}`);
    }
    const { threadsStarted, threadsLost, threadsStuck } = this.engine.stats();
    const left = threadsStarted - threadsLost - threadsStuck - this.#seen.failed;
    if (left !== this.#threads) {
      const counts = `${threadsStarted} started, ${threadsLost} lost, ${threadsStuck} stuck, ${this.#seen.failed} failed`;
      this.violations.push(`${this.#threads} threads were expected: ${counts}`);
    }
  }
}

/** A time limit. There is one for all that is waited for in a run, which only something that hangs reaches. */
class Patience {
  readonly over: Promise<void>;
  isOver = false;
  #end: () => void = () => undefined;

  constructor(ms: number) {
    this.over = new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.isOver = true;
        resolve();
      }, ms);
      this.#end = () => clearTimeout(timer);
    });
  }

  end(): void {
    this.#end();
  }
}

function turnAfter(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
