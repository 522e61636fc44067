/** Plays a plan: faults on and every step judged, then faults off, and what is left over must be nothing. */
import { ControlBlock } from "@threadmill/protocol";
import { DrawnChance } from "./drawn-chance.js";
import type { JobView } from "./job-view.js";
import type { Plan, PlannedAction, PlannedJob, PlannedSetup, PlannedSource, PlannedTask, PoisonItem } from "./plan.js";
import type { SchedulerUnderTest } from "./scheduler-under-test.js";
import { Simulation } from "./simulation.js";
import type { Counters, Fault } from "./sometimes.js";
import type {
  Fate,
  LoadFate,
  SimulatedJobSpec,
  SimulatedReader,
  SimulatedSetup,
  SimulatedSource,
  SimulatedTask,
} from "./spec.js";
import { Violation, broken } from "./violation.js";

export interface PlanRun {
  /** The promise that was broken, if one was. */
  readonly violation: Violation | undefined;
  readonly steps: number;
  readonly traceHash: number;
  readonly faults: ReadonlyMap<Fault, number>;
  readonly script: readonly string[];
}

/** Control blocks are used again: their memory is dear, and each row is made ready when a thread opens it. */
const blocks: (ControlBlock | undefined)[] = [];

export function runPlan(plan: Plan, scheduler: SchedulerUnderTest, counters: Counters, isRecorded: boolean): PlanRun {
  const { threads } = plan.options;
  const control = (blocks[threads] ??= new ControlBlock(2 * threads));
  const chance = new DrawnChance(plan);
  let player: Player | undefined;
  let violation: Violation | undefined;
  try {
    player = new Player(
      plan,
      new Simulation({
        ...plan.options,
        keepWarm: plan.keepWarm,
        scheduler,
        chance,
        counters,
        control,
        isRecorded,
      }),
      chance,
    );
    player.play();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  const simulation = player?.simulation;
  return {
    violation,
    steps: simulation?.steps ?? 0,
    traceHash: simulation?.traceHash ?? 0,
    faults: chance.faultCounts,
    script: simulation?.script ?? [],
  };
}

class Player {
  readonly simulation: Simulation;
  readonly #plan: Plan;
  readonly #chance: DrawnChance;
  readonly #tasks: SimulatedTask[];
  readonly #jobs: JobView[] = [];
  /** Shared recipes have the number of their task; a forgotten one comes back under another. */
  readonly #generations: number[];

  constructor(plan: Plan, simulation: Simulation, chance: DrawnChance) {
    this.#plan = plan;
    this.simulation = simulation;
    this.#chance = chance;
    // Timers that are late, and messages that are.
    simulation.shell.slackMs = 300;
    this.#tasks = plan.tasks.map((task) => this.#taskOf(task));
    this.#generations = plan.tasks.map(() => 0);
  }

  play(): void {
    const { simulation } = this;
    for (const { afterMs, action } of this.#plan.actions) {
      simulation.advance(afterMs);
      this.#act(action);
    }
    simulation.advance(20);
    this.#chance.hasFaults = false;
    let left = simulation.settle();
    if (left.length > 0) broken("L1", `left over: ${left.join("; ")}`);
    if (simulation.shell.isClosed) return;
    // And the engine still works: also slots that were given up have another chance.
    const last = simulation.submit({ task: {}, items: 3 * this.#plan.options.threads });
    left = simulation.settle();
    if (left.length > 0 || last.state !== "completed") broken("L1", `afterwards left over: ${left.join("; ")}`);
    for (const { index, phase } of simulation.state.slots)
      if (phase !== "ready") broken("L2", `slot ${index} is ${phase}`);
  }

  #taskOf(task: PlannedTask): SimulatedTask {
    const { kind, concurrency, maxBatchItems, isSync, nature, hasAddon, ignoresCancel } = task;
    const { ms, slowEvery, slowMs, importMs, evaluateMs, badImports, setup } = task;
    return {
      kind,
      concurrency,
      maxBatchItems,
      isSync,
      nature,
      hasAddon,
      ignoresCancel,
      importMs,
      evaluateMs,
      ms: slowEvery === 0 ? ms : (index) => (index % slowEvery === 1 ? slowMs : ms),
      fate: () => this.#noted(this.#chance.fate()),
      import: (before) => this.#notedLoad("import", badImports[before]),
      ...(setup === undefined ? {} : { setup: this.#setupOf(setup) }),
    };
  }

  #setupOf({ ms, isSync, bad }: PlannedSetup): SimulatedSetup {
    return { ms, isSync, fate: (before) => this.#notedLoad("setup", bad[before]) };
  }

  #notedLoad(what: "import" | "setup", fate: LoadFate = "ok"): LoadFate {
    if (fate !== "ok") this.#chance.note(`${what}: ${fate}`);
    return fate;
  }

  #act(action: PlannedAction): void {
    const { simulation } = this;
    const { state, shell } = simulation;
    if (shell.trace.script !== undefined) shell.trace.say(simulation.now, JSON.stringify(action));
    switch (action.type) {
      case "submit":
        if (!shell.isClosed) this.#jobs.push(simulation.submit(this.#specOf(action.job)));
        break;
      case "cancel":
      case "pause":
      case "resume":
      case "read": {
        const job = this.#jobs[action.which % Math.max(this.#jobs.length, 1)];
        if (job === undefined) break;
        if (action.type === "read") simulation.read(job);
        else simulation[action.type](job);
        simulation.late(job, action.type);
        break;
      }
      case "kill":
        if (simulation.crash(action.slot)) this.#chance.note("kill from outside");
        break;
      case "stall":
        simulation.stall(action.ms);
        this.#chance.note("stall");
        break;
      case "forget": {
        const task = action.which % this.#tasks.length;
        const id = this.#recipeOf(task);
        if (state.recipes.get(id)?.jobs.size !== 0) break;
        simulation.forget(id);
        this.#generations[task] = (this.#generations[task] as number) + 1;
        break;
      }
      case "stale":
        this.#sayStale(action.slot, action.word);
        break;
      case "close":
        simulation.close(action.deadlineMs);
        this.#chance.note("close");
        break;
    }
  }

  #sayStale(index: number, word: "ready" | "failed" | "lost" | "done"): void {
    const { simulation } = this;
    const slot = simulation.state.slots[index];
    if (slot === undefined || slot.incarnation === 0) return;
    simulation.counters["word from an earlier life of a slot"]++;
    const incarnation = slot.incarnation - 1;
    const batch = slot.running?.number ?? 1;
    const place = { slot: index, incarnation };
    if (word === "ready") simulation.dispatch({ type: "thread-ready", ...place });
    else if (word === "failed") simulation.dispatch({ type: "thread-failed", ...place });
    else if (word === "lost") simulation.dispatch({ type: "thread-lost", ...place, cur: [0, 0] });
    else
      simulation.dispatch({
        type: "done",
        ...place,
        batch,
        claimed: 1,
        faults: undefined,
        elapsedMs: 1,
        mainMs: 0,
        luck: 0,
      });
  }

  #recipeOf(task: number): number {
    return task + 10 * (this.#generations[task] as number);
  }

  #specOf(planned: PlannedJob): SimulatedJobSpec {
    const { items, source, reader, isWarmUp, rules, poison, unsendable, unreadable } = planned;
    const task = this.#tasks[planned.task] as SimulatedTask;
    return {
      task: poison.length === 0 ? task : { ...task, fate: (call) => this.#poisoned(poison, call) },
      items,
      rules,
      isWarmUp,
      isThrottled: reader !== "none",
      ...(planned.isShared ? { recipe: this.#recipeOf(planned.task) } : {}),
      ...(source === undefined ? {} : { pulledBy: sourceOf(source) }),
      ...(reader === "none" ? {} : { reader: reader === "absent" ? ("hand" satisfies SimulatedReader) : reader }),
      ...(unsendable < 0 && unreadable < 0
        ? {}
        : { travels: (index) => (index === unsendable ? "uncloneable" : index === unreadable ? "unreadable" : "ok") }),
    };
  }

  #poisoned(poison: readonly PoisonItem[], { index, runsBefore }: { index: number; runsBefore: number }): Fate {
    for (const one of poison) if (one.index === index && runsBefore < one.times) return this.#noted(one.fate);
    return this.#noted(this.#chance.fate());
  }

  #noted(fate: Fate): Fate {
    if (fate !== "ok") this.#chance.note(typeof fate === "string" ? fate : "long native call");
    return fate;
  }
}

function sourceOf({ foundOfTen, names, ...source }: PlannedSource): SimulatedSource {
  // A source without end that is found whole would keep the main thread for itself.
  const most = Math.min(foundOfTen ?? 0, source.isEndless ? 9 : 10);
  return {
    ...definedOnly(source),
    ...(foundOfTen === undefined ? {} : { isFound: (index) => (index * 7 + 3) % 10 < most }),
    ...(names === undefined ? {} : { keyOf: (index) => index % names }),
  };
}

function definedOnly<Value extends object>(value: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as never;
}
