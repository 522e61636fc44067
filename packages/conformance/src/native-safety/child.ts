/**
 * The program of one child process: an engine with native work in all its threads, to which the host does what the
 * plan says, until the process ends. What it says on its standard output is for its parent, one word a line, written
 * at once, since the process may end in the next moment.
 */
import { writeSync } from "node:fs";
import { createEngine, shutdownOnSignals, task } from "@threadmill/engine";
import type { CloseOptions, Engine, JobHandle, TaskReference } from "@threadmill/engine";
import type { atImport } from "./at-import.js";
import { InFlight } from "./in-flight.js";
import type { Ending, JobPlan, Plan, Step, StopSignal } from "./plan.js";
import type * as tasks from "./tasks.js";
import type { NativeOptions } from "./tasks.js";

/** What it is told, in its first argument. */
export type { Plan } from "./plan.js";

const plan = JSON.parse(process.argv[2] ?? "") as Plan;
const inFlight = new InFlight();
const MANY = 12;
const say = (what: string): void => void writeSync(1, `${what}\n`);

if (plan.reExit !== undefined) process.on("exit", () => process.exit(plan.reExit));
if (plan.lateSignal?.isHeard === true) process.on(plan.lateSignal.signal, () => undefined);

const addons = [import.meta.resolve("onnxruntime-node"), import.meta.resolve("sharp"), import.meta.resolve("libsql")];
/** The threads have the addons before the runner can watch what they load. */
const preloads = addons.flatMap((url) => ["--import", url]);

const engine: Engine = createEngine({
  threads: plan.threads,
  graceMs: plan.graceMs,
  ...(plan.isPreloaded ? { execArgv: preloads } : {}),
});
engine.on("thread", ({ type, cause }) => {
  if (type === "lost" || type === "failed") say(`died ${String(cause)}`);
});
if (plan.ending.kind === "shutdown") shutdownOnSignals(engine, { deadlineMs: plan.ending.deadlineMs });

const { exitListenerMs } = plan;
if (exitListenerMs !== undefined) {
  process.on("exit", () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, exitListenerMs));
}

const url = new URL("tasks.js", import.meta.url);
const references = {
  handler: task<typeof tasks.handler>(url, "handler"),
  setup: task<typeof tasks.setup>(url, "setup"),
  batch: task<typeof tasks.batch>(url, "batch"),
  preloaded: task<typeof tasks.preloaded>(url, "preloaded"),
  preloadedByCall: task<typeof tasks.preloadedByCall>(url, "preloadedByCall"),
  script: task<typeof tasks.script>(url, "script"),
  endless: task<typeof tasks.endless>(url, "endless"),
};

const controllers = plan.jobs.map(() => new AbortController());
const jobs = plan.jobs.map((job, at) => start(job, (controllers[at] as AbortController).signal));
if (!plan.isEarly) await inFlight.reached(plan.threads);
say("ready");
for (const step of plan.steps) setTimeout(() => take(step), step.atMs);
setTimeout(() => end(plan.ending), plan.ending.atMs);

function start(job: JobPlan, signal: AbortSignal): JobHandle<void, void | undefined> {
  const { concurrency, timeoutMs, items } = job;
  const endless = timeoutMs === undefined ? naturals() : slowly(2 * concurrency * plan.threads);
  const handle = engine.run(reference(job), items === "endless" ? endless : Array<number>(items).fill(0), {
    signal,
    options: optionsOf(job),
    onError: "collect",
    collect: false,
    concurrency,
    ...(job.form === "batch" ? {} : { batchSize: 2 * concurrency }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  handle.on("settle", ({ state, error }) => {
    if (state === "failed") say(`failed ${String(error)}`);
  });
  return handle;
}

function reference({ form, addon }: JobPlan): TaskReference<number, void, NativeOptions> {
  if (form !== "import") return references[form];
  return task<typeof atImport>(new URL(`at-import.js?addon=${addon}`, import.meta.url), "atImport");
}

function* naturals(): Generator<number> {
  for (let index = 0; ; index++) yield index;
}

/**
 * Calls that are given up soon, while sharp is still at work on them, would pile up in libuv without an end, and keep
 * other threads from loading their addon. So after the first of them more come only when those have ended, enough at a
 * time for all threads: one that was late would never get any.
 */
async function* slowly(atATime: number): AsyncGenerator<number> {
  for (let index = 0; ; index++) {
    if (index > MANY && index % atATime === 0) {
      do await new Promise((resolve) => setTimeout(resolve, 1_000).unref());
      while (inFlight.calls > 0);
    }
    yield index;
  }
}

function take(step: Step): void {
  if (step.act === "close") void engine.close(closeOptions(step));
  else if (step.act === "abort") controllers[step.job]?.abort();
  else if (step.act === "pause") void jobs[step.job]?.pause().catch(() => undefined);
  else jobs[step.job]?.[step.act]();
}

function closeOptions({ deadlineMs }: { readonly deadlineMs?: number }): CloseOptions {
  return deadlineMs === undefined ? {} : { deadlineMs };
}

function cancelAll(): void {
  for (const job of jobs) job.cancel();
}

function end(ending: Ending): void {
  say(`ending with ${inFlight.calls}`);
  if (plan.isUnguarded === true) process.removeAllListeners("exit");
  switch (ending.kind) {
    case "exit":
      exit(ending.code, ending.from);
      break;
    case "exitCode":
      process.exitCode = ending.code;
      cancelAll();
      break;
    case "uncaught":
      if (ending.by === "throw") throw new Error("uncaught, as planned");
      void Promise.reject(new Error("unhandled, as planned"));
      break;
    case "signal":
      process.kill(process.pid, ending.signal);
      break;
    case "shutdown": {
      raise(ending.signal);
      // One that follows at once may be an echo of the first.
      if (ending.isTwice) setInterval(() => process.kill(process.pid, ending.signal), 50).unref();
      break;
    }
    case "close":
      void engine.close(closeOptions(ending)).then(({ leftBehind }) => say(`left ${leftBehind.length}`));
      break;
    case "cancelAll":
      cancelAll();
      break;
    case "complete":
      for (const job of jobs) job.resume();
      break;
  }
}

/** A signal that is listened to arrives a moment later; a process with nothing to do would have ended by then. */
function raise(signal: StopSignal): void {
  const held = setInterval(() => undefined, 1_000);
  process.prependOnceListener(signal, () => clearInterval(held));
  process.kill(process.pid, signal);
}

function exit(code: number, from: Extract<Ending, { kind: "exit" }>["from"]): void {
  const first = plan.jobs[0] as JobPlan;
  const now = (): never => process.exit(code);
  switch (from) {
    case "timer":
      return now();
    case "immediate":
      setImmediate(now);
      return;
    case "microtask":
      queueMicrotask(now);
      return;
    case "listener": {
      const job = jobs.find(({ state }) => state === "running" || state === "waiting");
      if (job === undefined) return now();
      job.on("settle", now);
      job.cancel();
      return;
    }
    case "source":
      try {
        engine.run(reference(first), exiting(now), { options: optionsOf(first) });
        return;
      } catch {
        return now();
      }
    case "signal":
      process.on("SIGINT", now);
      raise("SIGINT");
      return;
    case "afterClose":
      void engine.close({ deadlineMs: 0 }).then(now);
  }
}

function* exiting(exitNow: () => never): Generator<number> {
  exitNow();
  yield 0;
}

function optionsOf({ addon, callMs, isDeaf, hasTeardown, arrivesFirst = false }: JobPlan): NativeOptions {
  return { addon, callMs, isDeaf, hasTeardown, arrivesFirst, inFlight: inFlight.shared };
}
