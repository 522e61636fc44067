/**
 * A random history: one engine, many jobs, and everything that callers may do to them, drawn from a seed. Threads keep
 * their own time, so a seed gives the same calls again, not always the same interleaving.
 */
import { getEventListeners } from "node:events";
import type { Engine, EngineOptions, JobHandle } from "@threadmill/engine";
import { checkHistory } from "./checker.js";
import { relogged } from "./fixtures/index.js";
import type { LoggedItem, Proof } from "./fixtures/logged.js";
import { isSettled } from "./history.js";
import { Random } from "./random.js";
import { type Plan, otherTask, planJob } from "./random-job.js";
import { type Handle, Recorder } from "./recorder.js";
import { RunLog } from "./run-log.js";

export interface RandomRunOptions {
  readonly seed: number;
  readonly createEngine: (options: EngineOptions) => Engine;
  /** Items may end their thread. */
  readonly mayDie: boolean;
  /** When nothing is hoped for any more. */
  readonly patienceMs?: number;
}

export interface RandomRunReport {
  /** One message per broken invariant. */
  readonly violations: readonly string[];
  /** What was done, call by call. */
  readonly script: readonly string[];
  readonly figures: RandomRunFigures;
}

/** What can be added up over many runs. */
export interface RandomRunFigures {
  readonly jobs: number;
  /** Handler calls that were begun. */
  readonly itemRuns: number;
  /** Things that callers saw. */
  readonly entries: number;
  readonly threadsLost: number;
  readonly threadsStuck: number;
}

const PATIENCE_MS = 25_000;
const GRACE_MS = 400;
const MAX_JOBS = 12;
const MAX_RESULTS = 2;

export async function runRandomly(options: RandomRunOptions): Promise<RandomRunReport> {
  const run = new RandomRun(options);
  await run.play();
  const violations = [...checkHistory(run.recorder.history), ...run.leftovers];
  return { violations, script: run.script, figures: run.figures };
}

class RandomRun {
  readonly script: string[] = [];
  readonly recorder = new Recorder(new RunLog());
  readonly #random: Random;
  readonly #engine: Engine;
  /** Swarm: some runs are safe, in some all jobs have items that end their thread. */
  readonly #danger: number;
  readonly #patienceMs: number;
  readonly #controllers = new Map<Handle, AbortController>();
  readonly #plans = new Map<Handle, Plan>();
  readonly #doomed: Handle[] = [];
  #works = 0;
  #isClosing = false;
  #isEnding = false;

  constructor({ seed, createEngine, mayDie, patienceMs = PATIENCE_MS }: RandomRunOptions) {
    this.#random = new Random(seed);
    this.#patienceMs = patienceMs;
    const random = this.#random;
    this.#danger = mayDie ? random.pick([0.3, 1, 1, 3]) : 0;
    this.#engine = createEngine({
      graceMs: GRACE_MS,
      maxJobs: MAX_JOBS,
      progressMs: 5,
      results: { maxEntries: MAX_RESULTS },
      batchMs: random.pick([1, 5, 10]),
      maxBatchItems: random.pick([4, 64, 4_096]),
    });
    this.recorder.watch(this.#engine);
  }

  /** What the engine has not let go of, though it is closed. */
  get leftovers(): string[] {
    const watched = [...this.#controllers].filter(([, { signal }]) => getEventListeners(signal, "abort").length > 0);
    return watched.map(([{ id }]) => `N1: there is a listener on a signal of ${id}`);
  }

  get figures(): RandomRunFigures {
    const { threadsLost, threadsStuck } = this.#engine.stats();
    const { entries, runs } = this.recorder.history;
    const itemRuns = runs.filter((one) => one?.phase === "begun").length;
    return { jobs: this.#works, itemRuns, entries: entries.length, threadsLost, threadsStuck };
  }

  async play(): Promise<void> {
    const random = this.#random;
    const steps = 10 + random.below(30);
    const closeAt = random.chance(0.25) ? random.below(steps) : Infinity;
    for (let step = 0; step < steps; step++) {
      if (step === closeAt) this.#close(random.pick([0, 3, 50]));
      this.#act();
      // Either in the same tick, or when readers have got what they were given: else a cancel is made before an outcome,
      // and the outcome seen after it.
      if (!random.chance(0.2)) await this.#wait();
    }
    await this.#end();
  }

  #act(): void {
    const action = this.#random.weighted({
      run: 8,
      join: 2,
      cancel: 1,
      pause: 1,
      resume: 1.5,
      refuse: 1,
      snapshot: 2,
      observe: 1,
      cancelInListener: 1,
      runAtSettle: 0.5,
    });
    const handle = this.recorder.handles.length === 0 ? undefined : this.#random.pick(this.recorder.handles);
    if (action === "run") this.#run();
    else if (action === "refuse") this.#refuse();
    else if (handle === undefined) return;
    else if (action === "join") this.#join(handle);
    else if (action === "cancel") this.#cancel(handle);
    else if (action === "pause") this.#say(`pause ${handle.id}`, () => void handle.pause());
    else if (action === "resume") this.#say(`resume ${handle.id}`, () => handle.resume());
    else if (action === "snapshot") this.recorder.snapshot(handle);
    else if (action === "observe") this.#observe(handle);
    else if (action === "runAtSettle") this.#runAtSettle(handle);
    else this.#cancelInListener(handle);
    const { entries } = this.#engine.results.stats;
    this.recorder.add({ type: "bound", what: "the results", size: entries, most: MAX_RESULTS });
    this.recorder.add({ type: "bound", what: "live jobs", size: this.#engine.jobs().length, most: MAX_JOBS });
  }

  #say(what: string, action: () => void): void {
    this.script.push(what);
    action();
  }

  // ——— calls of run

  #run(adapt: (plan: Plan) => Plan = (plan) => plan): void {
    const work = ++this.#works;
    const plan = adapt(planJob(this.#random, work, this.#danger));
    const { options, rules, readings, signal, isDoomed, taskName, source } = plan;
    this.script.push(`run ${work}: ${taskName} over ${source} ${JSON.stringify({ ...options, ...rules, signal })}`);
    const controller = signal === "none" ? undefined : new AbortController();
    if (signal === "aborted") controller?.abort("aborted before");
    const wasLive = options.id !== undefined && this.#isLive(options.id);
    let handle: Handle | undefined;
    const before = this.recorder.showEngine(this.#engine);
    try {
      handle = this.#engine.run(
        plan.task,
        this.#source(plan, work, () => handle),
        {
          ...options,
          options: { log: this.recorder.log.shared },
          ...(controller === undefined ? {} : { signal: controller.signal }),
        },
      );
    } catch (error) {
      this.recorder.refused(this.#engine, { job: options.id ?? `work ${work}`, work, before, error });
      return;
    }
    const how = handle.fromCache ? "cached" : signal === "aborted" ? "stillborn" : wasLive ? "joined" : "new";
    this.recorder.follow(handle, work, how, rules);
    this.#plans.set(handle, plan);
    if (controller !== undefined) this.#controllers.set(handle, controller);
    if (isDoomed && how === "new") this.#doomed.push(handle);
    if (how === "stillborn") return;
    const reader = handle;
    for (const reading of readings) {
      this.recorder.read(reader, reading, (loop) => {
        this.script.push(`cancel ${reader.id} in loop ${loop}`);
        this.#cancel(reader, loop);
      });
    }
    const canBeRead = rules.collects || readings.length === 0;
    if (how === "new" && canBeRead && this.#random.chance(0.15)) this.#chain(handle, plan);
  }

  /** One more caller of a job that is live, who reads it and may leave it by a signal while others stay. */
  #join({ id, state }: Handle): void {
    const live = [...this.#plans].find(([handle]) => handle.id === id && handle.state === state)?.[1];
    if (live?.options.id !== id || !live.rules.collects || isSettled(state)) return;
    const { taskName, task } = live;
    this.#run((plan) => ({
      ...plan,
      taskName,
      task,
      options: { ...plan.options, id, collect: true },
      rules: { ...plan.rules, task: taskName, collects: true },
      signal: "later",
      readings: [{ by: "outcomes", ordered: plan.options.ordered === true }],
    }));
  }

  /** A second job over the values of the first. */
  #chain(first: Handle, { rules }: Plan): void {
    const work = ++this.#works;
    this.script.push(`run ${work}: over the values of ${first.id}`);
    const before = this.recorder.showEngine(this.#engine);
    const values = first.values();
    try {
      const options = { log: this.recorder.log.shared, work };
      const second = this.#engine.run(relogged, values, { options });
      const chained = { ...rules, task: "relogged", attempts: 1, onError: "fail", collects: true } as const;
      this.recorder.follow(second, work, "new", { ...chained, hasTimeout: false, maxInFlight: undefined });
    } catch (error) {
      this.recorder.refused(this.#engine, { job: `work ${work}`, work, before, error });
      // Nobody reads them now, which would hold the first one for ever.
      void values.return?.();
    }
  }

  #isLive(id: string): boolean {
    const job = this.#engine.job(id);
    return job !== undefined && !isSettled(job.state);
  }

  #source({ items, source }: Plan, work: number, handle: () => Handle | undefined): Iterable<LoggedItem> {
    if (source === "array") return items;
    let ended = 0;
    const note = (index: number): void => {
      // Asked of the job: a handle that its signal has ended stays as it was. A job that has settled in the middle of a
      // pull may have given its id to another.
      const id = handle()?.id;
      const job = id === undefined ? undefined : this.#engine.job(id);
      const { completed = 0, failed = 0 } = job === undefined ? {} : "progress" in job ? job.progress : job.stats;
      ended = Math.max(ended, completed + failed);
      this.recorder.add({ type: "pulled", work, index, ended });
    };
    function* pull(): Generator<LoggedItem> {
      for (const item of items) {
        note(item.index);
        yield item;
      }
    }
    async function* pullLater(): AsyncGenerator<LoggedItem> {
      for (const item of items) {
        await Promise.resolve();
        note(item.index);
        yield item;
      }
    }
    return source === "generator" ? pull() : (pullLater() as unknown as Iterable<LoggedItem>);
  }

  /** A call that must throw, and change nothing. */
  #refuse(): void {
    const work = ++this.#works;
    const live = [...this.#plans].find(([handle]) => handle.id.length === 3 && !isSettled(handle.state));
    const plan = live?.[1] ?? planJob(this.#random, work, 0);
    const id = live?.[0].id ?? "new";
    const items = [{ work, index: 0, act: "quick", succeedsAt: 1 }];
    const { task } = plan;
    const wrong = this.#random.pick([
      ["weight 0", task, items, { weight: 0 }],
      ["an unknown option", task, items, { id, wait: 1 }],
      ["a string", task, "items", { id: "new" }],
      ...(live === undefined
        ? []
        : [
            ["another task", otherTask(plan), items, { id }],
            ["collect: false under a live id", task, items, { id, collect: false }],
          ]),
    ]) as [string, never, never, object];
    const [what, reference, source, options] = wrong;
    this.script.push(`refuse ${what} for ${id}`);
    const before = this.recorder.showEngine(this.#engine);
    let thrown: unknown;
    try {
      this.#engine.run(reference, source, { ...options, options: { log: this.recorder.log.shared } } as never);
    } catch (error) {
      thrown = error;
    }
    this.recorder.refused(this.#engine, { job: id, work, before, error: thrown });
  }

  // ——— what is done to jobs

  /** `loop`: the one in whose body this happens. */
  #cancel(handle: Handle, loop?: number): void {
    const controller = this.#controllers.get(handle);
    const by = controller === undefined ? this.#random.pick(["handle", "id"] as const) : "signal";
    this.script.push(`cancel ${handle.id} by ${by}`);
    if (by === "signal") {
      const leaves = controller?.signal.aborted === true ? [] : [handle];
      this.recorder.cancel(by, leaves, () => controller?.abort(new Error("aborted")), loop);
      return;
    }
    // A handle that has left, or belongs to an earlier job of this id, cancels nothing.
    const isOver = by === "handle" && isSettled(handle.state);
    const concerned = isOver ? [handle] : this.recorder.liveOf(handle.id);
    const cancel = (): unknown => (by === "id" ? this.#engine.cancel(handle.id, "by id") : handle.cancel("by handle"));
    this.recorder.cancel(by, concerned, cancel, loop);
  }

  /** In the middle of telling all handles of a job something: those that are told after it must hear nothing. */
  #cancelInListener(handle: Handle): void {
    if (isSettled(handle.state)) return;
    const event = this.#random.pick(["start", "batch", "retry", "progress"] as const);
    const others = this.recorder.liveOf(handle.id);
    const victim = this.#random.chance(0.5) ? handle : this.#random.pick(others);
    this.script.push(`cancel ${handle.id} at its next ${event}`);
    handle.once(event, () => {
      if (!isSettled(victim.state)) this.#cancel(victim);
    });
  }

  /** The end of one job is where the next begins, perhaps under the same id. */
  #runAtSettle(handle: Handle): void {
    if (isSettled(handle.state)) return;
    this.script.push(`run at the end of ${handle.id}`);
    handle.once("settle", () => {
      if (!this.#isEnding) this.#run();
    });
  }

  /** `job(id)` answers one handle for all who only look. */
  #observe(handle: Handle): void {
    const plan = this.#plans.get(handle);
    if (isSettled(handle.state)) return;
    const seen = this.#engine.job(handle.id) as JobHandle<Proof> | undefined;
    if (plan === undefined || seen === undefined || !("cancel" in seen) || isSettled(seen.state)) return;
    this.script.push(`observe ${handle.id}`);
    this.recorder.follow(seen, ++this.#works, "joined", plan.rules);
    if (plan.rules.collects) this.recorder.read(seen, { by: "outcomes", ordered: false });
  }

  async #wait(): Promise<void> {
    const { handles } = this.recorder;
    const turns = 1 + this.#random.below(60);
    const handle = handles.length === 0 ? undefined : this.#random.pick(handles);
    if (this.#random.chance(0.4) && handle?.state === "running") {
      await new Promise<void>((resolve) => {
        handle.once("batch", () => resolve());
        handle.once("settle", () => resolve());
        // A job that is paused, or waits for threads that others hold, may say nothing for long.
        void turn(2_000).then(resolve);
      });
    }
    await turn(turns);
  }

  #close(deadlineMs: number): void {
    this.script.push(`close ${deadlineMs}`);
    this.#isClosing = true;
    const live = deadlineMs === 0 ? this.recorder.handles.filter((handle) => !isSettled(handle.state)) : [];
    this.recorder.cancel("close", live, () => void this.#engine.close({ deadlineMs }));
  }

  async #end(): Promise<void> {
    await turn(1);
    this.#isEnding = true;
    const how = this.#random.pick(["drain", "drain", "close", "close", "close 0"] as const);
    this.script.push(how);
    if (how === "close 0" && !this.#isClosing) this.#close(0);
    // Also where the caller has left, and others have joined.
    for (const { id } of this.#doomed) {
      if (!this.#isLive(id)) continue;
      this.recorder.cancel("id", this.recorder.liveOf(id), () => this.#engine.cancel(id, "doomed"));
    }
    for (const handle of this.recorder.handles) handle.resume();
    const over = how === "drain" ? this.#engine.drain() : this.#isClosing ? undefined : this.#engine.close();
    this.recorder.expect(undefined, how, async () => void (await over));
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, this.#patienceMs);
    });
    await this.recorder.rest(this.#engine, patience);
    clearTimeout(timer);
    await this.#engine.close({ deadlineMs: 0 });
    // What comes too late is seen too.
    await turn(20);
  }
}

async function turn(times: number): Promise<void> {
  for (let time = 0; time < times; time++) await new Promise((resolve) => setImmediate(resolve));
}
