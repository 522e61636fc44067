/** Plays one kind of chaos among healthy jobs, on real threads. */
import type { JobHandle, RunOptions } from "@threadmill/engine";
import {
  chaotic,
  chaoticBatch,
  chaoticByFour,
  chaoticImport,
  chaoticNative,
  chaoticSetup,
  exitsAtImport,
  missingExport,
  missingModule,
  throwsAtImport,
} from "../fixtures/index.js";
import type { ChaoticItem, Deed, SetupDeed, TeardownDeed } from "../fixtures/chaotic.js";
import type { LoggedOptions } from "../fixtures/logged.js";
import { Gate } from "../gate.js";
import type { Rules } from "../history.js";
import type { Handle } from "../recorder.js";
import type { Misdeed, setupMisdeeds } from "./misdeeds.js";
import { type ChaosOptions, type ChaosReport, Stage } from "./stage.js";

const ITEMS = 40;
const TIMES = 3;

export const handlerKinds = { chaotic, chaoticByFour, chaoticBatch } as const;
export type HandlerKind = keyof typeof handlerKinds;

/** Items of which some misbehave, at places drawn by chance. */
function chaoticItems(stage: Stage, work: number, deed: Deed, times: number): ChaoticItem[] {
  const places = new Set<number>();
  while (places.size < times) places.add(stage.random.below(ITEMS));
  return Array.from({ length: ITEMS }, (_, index) => ({ work, index, deed: places.has(index) ? deed : "none" }));
}

export function runChaotic(
  stage: Stage,
  kind: HandlerKind,
  deed: Deed,
  options: { readonly times: number; readonly timeoutMs: number | undefined },
): { handle: Handle; items: ChaoticItem[] } {
  const work = stage.nextWork();
  const items = chaoticItems(stage, work, deed, options.times);
  const { timeoutMs } = options;
  const runOptions: RunOptions<ChaoticItem, LoggedOptions> & { readonly options: LoggedOptions } = {
    id: `chaotic ${deed} ${work}`,
    onError: "collect",
    options: { log: stage.recorder.log.shared },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  const handle = stage.engine.run(handlerKinds[kind], items, runOptions);
  const hasTimeout = timeoutMs !== undefined;
  const mayRepeat = deed === "returnsDeep" || (hasTimeout && kind === "chaoticBatch");
  stage.follow(handle, work, { ...rulesOf(kind), hasTimeout, mayRepeat });
  return { handle, items };
}

function rulesOf(kind: HandlerKind | "chaoticSetup" | "chaoticNative"): Rules {
  return {
    task: kind,
    items: ITEMS,
    attempts: 1,
    onError: "collect",
    collects: true,
    hasTimeout: false,
    maxInFlight: undefined,
  };
}

/** Some items of a job misbehave: they end by name, and nothing else does. */
export async function playMisdeed(
  { deed, ends, timeoutMs, times = TIMES, threads }: Misdeed,
  kind: HandlerKind,
  options: ChaosOptions,
): Promise<ChaosReport> {
  const stage = new Stage(options);
  stage.startHealthyJobs();
  const { handle, items } = runChaotic(stage, kind, deed, { times, timeoutMs });
  const report = await stage.finish();
  const codes = await endsOf(handle, items.length);
  for (const { index, deed: did } of items) {
    const end = codes[index];
    const isExpected =
      did === "none"
        ? end === "completed" || (timeoutMs !== undefined && end === "TASK_TIMEOUT")
        : ends.includes(end as never);
    // An item that behaves may exceed a short time limit too, on a machine that has no time for it.
    if (!isExpected) stage.violations.push(`item ${index}, which ${did}, ended as ${end}`);
  }
  const { threadsLost, threadsStuck } = report.figures;
  if (threadsLost + threadsStuck > threads * times) {
    stage.violations.push(`${threadsLost} threads were lost and ${threadsStuck} stuck over ${times} items`);
  }
  return report;
}

/** By index how the items ended: `completed`, or their code. */
async function endsOf(handle: Handle, count: number): Promise<string[]> {
  const ends = Array.from({ length: count }, () => "nothing");
  if (handle.state !== "completed") return ends.map(() => `an item of a job that is ${handle.state}`);
  const { values, failures } = await handle.result;
  for (const [index, value] of values.entries()) if (value?.index === index) ends[index] = "completed";
  for (const { index, error } of failures) ends[index] = error.code;
  return ends;
}

/** A job that would never end is cancelled while its items are at it. */
export async function playCancel(deed: Deed, kind: HandlerKind, options: ChaosOptions): Promise<ChaosReport> {
  const stage = new Stage(options);
  stage.startHealthyJobs();
  const { handle, items } = runChaotic(stage, kind, deed, { times: TIMES, timeoutMs: undefined });
  const guilty = new Set(items.filter((item) => item.deed !== "none").map(({ work, index }) => `${work}/${index}`));
  const { recorder } = stage;
  await stage.until(`an item that ${deed} to begin`, () =>
    recorder.log.records.some((one) => one?.phase === "begun" && guilty.has(`${one.work}/${one.index}`)),
  );
  recorder.cancel("handle", [handle], () => handle.cancel("enough"));
  return stage.finish();
}

/** What cannot be loaded fails its job by name; what never finishes loading is cancelled. */
export const loadMisdeeds = {
  "a module that is not there": { task: missingModule, ends: "TASK_LOAD_FAILED" },
  "an export that is not there": { task: missingExport, ends: "TASK_NOT_FOUND" },
  "a module that throws": { task: throwsAtImport, ends: "TASK_LOAD_FAILED" },
  "a module that exits": { task: exitsAtImport, ends: "THREAD_LOST" },
  "a module whose import never ends": { task: chaoticImport, ends: "cancelled" },
} as const;

export async function playLoad(name: keyof typeof loadMisdeeds, options: ChaosOptions): Promise<ChaosReport> {
  const stage = new Stage(options);
  stage.startHealthyJobs();
  const { task, ends } = loadMisdeeds[name];
  const channel = new BroadcastChannel("threadmill chaotic import");
  let hasBegun = false;
  channel.addEventListener("message", () => {
    hasBegun = true;
  });
  const handle = stage.engine.run(task, [1, 2, 3]);
  await expectEnd(stage, handle, ends, () => hasBegun);
  channel.close();
  return stage.finish();
}

/** Runs a job whose resource begins, or ends, badly. */
function runWithSetup(
  stage: Stage,
  atSetup: SetupDeed,
  atTeardown: TeardownDeed,
): { work: number; handle: Handle; begun: Gate } {
  const begun = new Gate();
  begun.open();
  const work = stage.nextWork();
  const items = chaoticItems(stage, work, "none", 0);
  const options = { log: stage.recorder.log.shared, atSetup, atTeardown, begun: begun.shared };
  return { work, handle: stage.engine.run(chaoticSetup, items, { onError: "collect", options }), begun };
}

export async function playSetup(
  { deed, ends }: (typeof setupMisdeeds)[number],
  options: ChaosOptions,
): Promise<ChaosReport> {
  const stage = new Stage(options);
  stage.startHealthyJobs();
  const { handle, begun } = runWithSetup(stage, deed, "none");
  await expectEnd(stage, handle, ends, () => begun.arrivals > 0);
  return stage.finish();
}

/** Waits for the end of a job that does not get as far as its items, or cancels it when it has begun. */
async function expectEnd(
  stage: Stage,
  handle: JobHandle<unknown, unknown>,
  ends: string,
  hasBegun: () => boolean,
): Promise<void> {
  if (ends === "cancelled") {
    await stage.until("the job to begin", hasBegun);
    handle.cancel("enough");
  }
  let end: unknown;
  handle.result.catch((error: unknown) => {
    end = error;
  });
  await stage.until("the job to end", () => end !== undefined);
  const seen = end === "enough" ? "cancelled" : (end as { readonly code?: unknown } | undefined)?.code;
  if (seen !== ends) stage.violations.push(`the job ended with ${String(seen)} rather than ${ends}`);
}

/** The items complete; when the engine is closed, the resource does not go quietly. */
export async function playTeardown(deed: TeardownDeed, options: ChaosOptions): Promise<ChaosReport> {
  const stage = new Stage(options);
  stage.startHealthyJobs();
  const { work, handle } = runWithSetup(stage, "none", deed);
  stage.follow(handle, work, rulesOf("chaoticSetup"));
  const report = await stage.finish();
  if (handle.state !== "completed") stage.violations.push(`the job is ${handle.state}`);
  return report;
}

/** A cancel while threads are in native code: none is ended there, and each comes back or is replaced. */
export async function playNative(addon: "sharp" | "onnx", callMs: number, options: ChaosOptions): Promise<ChaosReport> {
  const stage = new Stage(options);
  stage.startHealthyJobs();
  const { recorder, engine } = stage;
  const work = stage.nextWork();
  const handle = engine.run(chaoticNative, chaoticItems(stage, work, "none", 0), {
    onError: "collect",
    options: { log: recorder.log.shared, addon, callMs },
  });
  stage.follow(handle, work, rulesOf("chaoticNative"));
  await stage.until("a native call", () =>
    recorder.log.records.some((one) => one?.phase === "begun" && one.work === work),
  );
  recorder.cancel("handle", [handle], () => handle.cancel("enough"));
  return stage.finish();
}
