/** What one child process of the native-safety property does: drawn from a seed, and passed to it as JSON. */
import { Random } from "../random.js";

export type Addon = "onnx" | "sharp" | "libsql";

/**
 * Where a task loads its addon, and how the thread learns of it. `preloaded…`: the thread had it before the runner
 * could watch, so that the task must say so itself, once for all or call by call.
 */
export type Form = "handler" | "setup" | "import" | "batch" | "preloaded" | "preloadedByCall" | "script" | "endless";

export interface JobPlan {
  readonly form: Form;
  readonly addon: Addon;
  /** About how long one native call takes on an idle machine. Nothing depends on the exact time. */
  readonly callMs: number;
  readonly items: number | "endless";
  readonly concurrency: number;
  readonly timeoutMs?: number;
  /** The handler takes no notice of a cancel. */
  readonly isDeaf: boolean;
  /** A thread counts as at work before it loads its addon; `handler` only. */
  readonly arrivesFirst?: boolean;
  /** The resource is given up by native code too. */
  readonly hasTeardown: boolean;
}

/** Something that the host does to its jobs; when the time begins, `Plan.isEarly` says. */
export type Step = { readonly atMs: number } & (
  | { readonly act: "cancel" | "abort" | "pause" | "resume"; readonly job: number }
  | { readonly act: "close"; readonly deadlineMs?: number }
);

export type StopSignal = "SIGINT" | "SIGTERM";

/** What ends the process. */
export type Ending = { readonly atMs: number } & (
  | {
      readonly kind: "exit";
      readonly code: number;
      readonly from: "timer" | "immediate" | "microtask" | "listener" | "source" | "signal" | "afterClose";
    }
  /** The exit code is set; then everything is cancelled, and the process ends by itself. */
  | { readonly kind: "exitCode"; readonly code: number }
  | { readonly kind: "uncaught"; readonly by: "throw" | "rejection" }
  /** No listener: the system ends the process. */
  | { readonly kind: "signal"; readonly signal: StopSignal }
  | { readonly kind: "shutdown"; readonly signal: StopSignal; readonly deadlineMs: number; readonly isTwice: boolean }
  /** Everything is cancelled, and nothing else is done. */
  | { readonly kind: "cancelAll" }
  /** All jobs run to their end. */
  | { readonly kind: "complete" }
  | { readonly kind: "close"; readonly deadlineMs?: number }
);

export interface Plan {
  readonly seed: number;
  /** The threads have the addons before the runner can watch what they load. */
  readonly isPreloaded: boolean;
  readonly threads: number;
  readonly graceMs: number;
  /** Time counts from the call of `run`, while threads start, load and set up; else from native work in all of them. */
  readonly isEarly: boolean;
  readonly jobs: readonly JobPlan[];
  readonly steps: readonly Step[];
  readonly ending: Ending;
  /** The system stops the process, and continues it so much later. */
  readonly suspend?: { readonly atMs: number; readonly forMs: number };
  /** A signal that comes, again and again, when the host has begun to exit, and whether the host listens to it. */
  readonly lateSignal?: { readonly afterMs: number; readonly signal: StopSignal; readonly isHeard: boolean };
  /** An exit listener of the host's own that was there before the engine and exits with another code. */
  readonly reExit?: number;
  /** An exit listener of the host's own, after the engine's, that takes so long: threads go on meanwhile. */
  readonly exitListenerMs?: number;
  /** The engine's own exit listener is taken away: what happens then is what all this is about. */
  readonly isUnguarded?: boolean;
}

const FORMS = { handler: 3, setup: 3, import: 2, batch: 1, script: 1 };
/** A thread that had its addons before knows of them only by these. */
const PRELOADED_FORMS = { preloaded: 3, preloadedByCall: 3, script: 1 };
const ENDINGS = { exit: 6, exitCode: 1, uncaught: 2, signal: 1, shutdown: 4, cancelAll: 2, complete: 1, close: 3 };

/** The same seed draws the same plan. */
export function drawPlan(seed: number): Plan {
  const random = new Random(seed);
  const graceMs = random.pick([40, 60, 100, 200]);
  const kind = random.weighted(ENDINGS);
  const isPreloaded = random.chance(0.2);
  const jobCount = 1 + random.below(3);
  const rules = { graceMs, isPreloaded, isFinite: kind === "complete" };
  const jobs = Array.from({ length: jobCount }, (_, at) => drawJob(random, rules, at === 0));
  const steps = kind === "complete" ? [] : drawSteps(random, jobCount);
  const isEarly = random.chance(0.2);
  const ending = drawEnding(random, kind, steps, isEarly ? random.below(400) : 0);
  const isExit = kind === "exit" && ending.kind === "exit" && ending.from !== "signal";
  return {
    seed,
    isPreloaded,
    threads: random.pick([1, 2, 2, 3]),
    graceMs,
    isEarly,
    jobs,
    steps,
    ending,
    ...(random.chance(0.15) ? { suspend: { atMs: random.below(ending.atMs + 1), forMs: 50 + random.below(600) } } : {}),
    ...(isExit && random.chance(0.25)
      ? {
          lateSignal: {
            afterMs: random.pick([0, 20, 200]),
            signal: random.pick(["SIGINT", "SIGTERM"] as const),
            isHeard: random.chance(0.5),
          },
        }
      : {}),
    ...(isExit && random.chance(0.2) ? { reExit: 40 + random.below(10) } : {}),
  };
}

interface JobRules {
  readonly graceMs: number;
  readonly isPreloaded: boolean;
  readonly isFinite: boolean;
}

function drawJob(random: Random, { graceMs, isPreloaded, isFinite }: JobRules, isFirst: boolean): JobPlan {
  const drawn: Form = isPreloaded ? random.weighted(PRELOADED_FORMS) : random.weighted(FORMS);
  // The first job is native in any case, and its calls are long enough to be met.
  const form = isFirst && drawn === "script" ? (isPreloaded ? "preloaded" : "handler") : drawn;
  const addon = random.pick(["onnx", "onnx", "libsql", "sharp"] as const);
  // Well below the grace, close to it, and beyond it.
  const callMs = random.chance(0.03) ? 2_000 : random.pick([5, 20, 0.3 * graceMs, 0.9 * graceMs, 3 * graceMs]);
  return {
    form,
    addon,
    // What sharp has begun goes on in the threads of libuv, which all share.
    callMs: Math.min(isFirst ? Math.max(callMs, 40) : callMs, isFinite || addon === "sharp" ? 200 : 2_000),
    items: isFinite ? 2 + random.below(5) : "endless",
    // Of several inferences in one thread the second follows the first without a pause between them.
    concurrency: form !== "batch" && callMs < 500 && random.chance(0.3) ? 3 : 1,
    ...(!isFinite && random.chance(0.25) ? { timeoutMs: random.pick([20, 200]) } : {}),
    isDeaf: !isFinite && random.chance(0.3),
    hasTeardown: random.chance(0.3),
  };
}

function drawSteps(random: Random, jobs: number): Step[] {
  const steps: Step[] = [];
  let atMs = 0;
  for (let count = random.below(4); count > 0; count--) {
    atMs += random.pick([0, 1, 5, 30, 150]);
    const act = random.weighted({ cancel: 3, abort: 2, pause: 2, resume: 1, close: 1 });
    if (act !== "close") steps.push({ atMs, act, job: random.below(jobs) });
    else if (!steps.some((step) => step.act === "close")) {
      // Without a deadline it would be refused where a job is paused.
      steps.push({ atMs, act, deadlineMs: random.pick([0, 30, 200]) });
    }
  }
  return steps;
}

function drawEnding(random: Random, kind: keyof typeof ENDINGS, steps: readonly Step[], delayMs: number): Ending {
  const atMs = delayMs + (steps.at(-1)?.atMs ?? 0) + random.pick([0, 1, 5, 30, 150, 400]);
  const signal = random.pick(["SIGINT", "SIGTERM"] as const);
  const deadlineMs = random.pick([0, 0, 50, 400]);
  switch (kind) {
    case "exit": {
      const from = random.pick([
        "timer",
        "immediate",
        "microtask",
        "listener",
        "source",
        "signal",
        "afterClose",
      ] as const);
      return { atMs, kind, code: random.pick([0, 3, 130]), from };
    }
    case "exitCode":
      return { atMs, kind, code: 1 + random.below(30) };
    case "uncaught":
      return { atMs, kind, by: random.pick(["throw", "rejection"] as const) };
    case "signal":
      return { atMs, kind, signal };
    case "shutdown":
      return { atMs, kind, signal, deadlineMs, isTwice: random.chance(0.5) };
    case "close":
      return { atMs, kind, deadlineMs };
    case "cancelAll":
    case "complete":
      return { atMs, kind };
  }
}
