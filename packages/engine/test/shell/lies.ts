/**
 * What a thread might say that it should not: a forged message, a broken one, one that comes too late. The rule is that
 * what does not match is dropped and counted; the engine's handler never throws, and no item is lost or comes twice.
 */
import { EngineAtHand, handler, turn } from "./engine-at-hand.js";
import type { PlayedThread } from "./played-threads.js";

export const ITEMS = 8;
const BATCH = 4;
/** Turns in which a job of a few items is over many times. */
const MAX_TURNS = 500;

/** What the liar can refer to. */
export interface Situation {
  readonly thread: PlayedThread;
  /** The batch that runs: four items, two of them claimed. */
  readonly running: number;
  /** The batch behind it, of four items as well. */
  readonly behind: number;
  readonly recipe: number;
}

/** What became of the job that was lied about, once its thread had told the truth. */
export interface Aftermath {
  /** What the engine's handler threw into the port. */
  readonly thrown: unknown;
  readonly dropped: number;
  readonly state: string;
  readonly values: unknown;
  /** How often each item came out of a loop. */
  readonly delivered: readonly number[];
  /** Whether the engine was at rest then. */
  readonly remains: readonly string[];
  /** Figures that are shown to users and are no numbers from 0. */
  readonly oddFigures: readonly string[];
}

export const UNHARMED: Aftermath = {
  thrown: undefined,
  dropped: 1,
  state: "completed",
  values: Array.from({ length: ITEMS }, (_, index) => 2 * index),
  delivered: Array.from({ length: ITEMS }, () => 1),
  remains: [],
  oddFigures: [],
};

/** One lie in the middle of a job, and then nothing but the truth. */
export async function tell(lie: (situation: Situation) => unknown): Promise<Aftermath> {
  const { at, thread } = await acquainted();
  const items = Array.from({ length: ITEMS }, (_, index) => index);
  const job = at.engine.run(handler("double"), items, { batchSize: BATCH, onError: "collect" });
  const delivered = items.map(() => 0);
  void (async () => {
    for await (const { index } of job) delivered[index] = (delivered[index] ?? 0) + 1;
  })().catch(() => undefined);
  await turn();
  // It reads both batches and runs two items of the first.
  for (let steps = 0; steps < 4; steps++) thread.step();
  const [running, behind] = thread.holds as [number, number];
  const message = lie({ thread, running, behind, recipe: 1 });
  return aftermath(at, job, () => thread.say(message), delivered);
}

/** A lie about the task, before the thread has described it. */
export async function misdescribe(message: readonly unknown[]): Promise<Aftermath> {
  const at = new EngineAtHand();
  await turn();
  const thread = at.runner.at(0);
  const items = Array.from({ length: ITEMS }, (_, index) => index);
  const job = at.engine.run(handler("double"), items, { onError: "collect" });
  const delivered = items.map(() => 0);
  void (async () => {
    for await (const { index } of job) delivered[index] = (delivered[index] ?? 0) + 1;
  })().catch(() => undefined);
  await turn();
  thread.step();
  return aftermath(at, job, () => thread.say(message), delivered);
}

/** An engine whose one thread has run and described the task. */
export async function acquainted(): Promise<{ at: EngineAtHand; thread: PlayedThread }> {
  const at = new EngineAtHand();
  await at.playUntil(at.engine.map(handler("double"), [1]));
  await at.play();
  return { at, thread: at.runner.at(0) };
}

async function aftermath(
  at: EngineAtHand,
  job: ReturnType<EngineAtHand["engine"]["run"]>,
  say: () => void,
  delivered: readonly number[],
): Promise<Aftermath> {
  let thrown: unknown;
  try {
    say();
    for (let turns = 0; turns < MAX_TURNS && (at.runner.playOne() || turns < 10); turns++) await turn();
  } catch (error) {
    thrown = error;
  }
  await turn();
  const { droppedMessages } = at.engine.stats();
  const { state } = job;
  const values: unknown = state === "completed" ? (await job.result).values : undefined;
  const settled = at.engine.job(job.id);
  const { batches, threadMs, completed, failed } =
    settled !== undefined && "stats" in settled ? settled.stats : ({} as Record<string, number>);
  const figures = { batches, threadMs, completed, failed };
  return {
    thrown,
    dropped: droppedMessages,
    state,
    values,
    delivered: [...delivered],
    remains: at.remains,
    oddFigures: Object.entries(figures).flatMap(([name, value]) =>
      typeof value === "number" && value >= 0 && value < Infinity ? [] : [`${name} is ${String(value)}`],
    ),
  };
}

interface Lie {
  readonly name: string;
  readonly tell: (situation: Situation) => unknown;
}

const VALUES = [0, 2, 4, 6];
const RECORD = { name: "Error", message: "no" };

const NO_RECORDS = [undefined, null, 5, "no", {}, { name: "Error" }, { name: "Error", message: { toString: 5 } }];

/** Wrong in a way that any reader of the message can see. */
export const LIES: readonly Lie[] = [
  // ——— no message at all
  ...[undefined, null, 5, "done", true, {}, [], [undefined], [null], [5], [["done"]], new Map([[0, "done"]])].map(
    (message): Lie => ({ name: `${show(message)} as a message`, tell: () => message }),
  ),
  ...["nonsense", "__proto__", "constructor", "toString", "batch", "introduce"].map((kind): Lie => ({
    name: `a message of the kind ${kind}`,
    tell: ({ running }) => [kind, running],
  })),
  { name: "a message that is an object like an array", tell: ({ running }) => ({ 0: "done", 1: running, length: 6 }) },
  // ——— done
  ...[999, -1, 0, 1.5, Number.NaN, Infinity, "1", undefined, null, {}, [1]].map((batch): Lie => ({
    name: `an answer to batch ${show(batch)}`,
    tell: () => done(batch, 4),
  })),
  { name: "an answer to a batch that was answered", tell: ({ running }) => done(running - 1, 1, [2]) },
  ...[5, 1e9, -1, -4, 1.5, Number.NaN, Infinity, -Infinity, "4", undefined, null, [4]].map((claimed): Lie => ({
    name: `${show(claimed)} items of 4 claimed`,
    tell: ({ running }) => done(running, claimed),
  })),
  ...[5, 8, 1e5].map((claimed): Lie => ({
    name: `${claimed} items of 4 claimed, with a value for each`,
    tell: ({ running }) =>
      done(
        running,
        claimed,
        Array.from({ length: claimed }, () => 0),
      ),
  })),
  ...[
    undefined,
    null,
    5,
    "abcd",
    {},
    { length: 4 },
    new Map(),
    [],
    [0, 2, 4],
    new Float64Array(3),
    VALUES.concat(8),
  ].map((values): Lie => ({ name: `the values ${show(values)}`, tell: ({ running }) => done(running, 4, values) })),
  {
    name: "a hundred thousand values",
    tell: ({ running }) =>
      done(
        running,
        4,
        Array.from({ length: 1e5 }, () => 0),
      ),
  },
  ...[5, "ab", {}, { length: 1 }, [5], [null], [[]], [undefined]].map((failures): Lie => ({
    name: `the failures ${show(failures)}`,
    tell: ({ running }) => done(running, 4, VALUES, failures),
  })),
  ...[4, 1e9, -1, 0.5, Number.NaN, "0", undefined].map((position): Lie => ({
    name: `a failure at the position ${show(position)}`,
    tell: ({ running }) => done(running, 4, VALUES, [[position, "TASK_FAILED", RECORD]]),
  })),
  {
    name: "a failure at a position that was not claimed",
    tell: ({ running }) => done(running, 2, [0, 2], [[3, "TASK_FAILED", RECORD]]),
  },
  {
    name: "two failures at one position",
    tell: ({ running }) =>
      done(running, 4, VALUES, [
        [1, "TASK_FAILED", RECORD],
        [1, "TASK_FAILED", RECORD],
      ]),
  },
  {
    name: "a failure and an item that was not run at one position",
    tell: ({ running }) =>
      done(running, 4, VALUES, [
        [1, "TASK_FAILED", RECORD],
        [1, "unrun", undefined],
      ]),
  },
  ...["NONSENSE", "__proto__", "", 5, undefined, null].map((code): Lie => ({
    name: `a failure with the code ${show(code)}`,
    tell: ({ running }) => done(running, 4, VALUES, [[0, code, RECORD]]),
  })),
  ...NO_RECORDS.map((record): Lie => ({
    name: `a failure with the record ${show(record)}`,
    tell: ({ running }) => done(running, 4, VALUES, [[0, "TASK_FAILED", record]]),
  })),
  ...[Number.NaN, -5, Infinity, "5", undefined, null, {}].map((elapsedMs): Lie => ({
    name: `an answer that took ${show(elapsedMs)} ms`,
    tell: ({ running }) => done(running, 4, VALUES, undefined, elapsedMs),
  })),
  // ——— spoilt and broken
  ...(["spoilt", "broken"] as const).flatMap((kind) => [
    ...[999, Number.NaN, "1", undefined].map((batch): Lie => ({
      name: `${kind} said of batch ${show(batch)}`,
      tell: () => [kind, batch, "TASK_FAILED", RECORD, 1],
    })),
    ...["NONSENSE", "unrun", undefined].map((code): Lie => ({
      name: `${kind} with the code ${show(code)}`,
      tell: ({ running }) => [kind, running, code, RECORD, 1],
    })),
    ...NO_RECORDS.map((record): Lie => ({
      name: `${kind} with the record ${show(record)}`,
      tell: ({ running }) => [kind, running, "TASK_FAILED", record, 1],
    })),
  ]),
  ...[Number.NaN, -5, Infinity, "5"].map((elapsedMs): Lie => ({
    name: `spoilt after ${show(elapsedMs)} ms`,
    tell: ({ running }) => ["spoilt", running, "TASK_FAILED", RECORD, elapsedMs],
  })),
  // ——— the others
  ...[Number.NaN, "1", undefined].map((batch): Lie => ({
    name: `a detail of batch ${show(batch)}`,
    tell: () => ["detail", batch, "news"],
  })),
  ...[undefined, null, 5, "held", {}].map((held): Lie => ({
    name: `${show(held)} as the batches that are held`,
    tell: () => ["held", held],
  })),
  { name: "a description of a task that nobody knows", tell: () => ["described", 999, "item", 1, 0] },
  { name: "a detail of a batch that is not out", tell: () => ["detail", 999, "news"] },
  { name: "the end of a teardown that nobody asked for", tell: () => ["closed"] },
];

/** Lies that a description may hold, before the engine knows better. */
export const MISDESCRIPTIONS: readonly { readonly name: string; readonly message: readonly unknown[] }[] = [
  ...["other", "__proto__", undefined, 5].map((kind) => ({ name: `kind ${show(kind)}`, message: [kind, 1, 0] })),
  ...[0, -1, 1.5, Number.NaN, Infinity, "2", undefined].map((concurrency) => ({
    name: `concurrency ${show(concurrency)}`,
    message: ["item", concurrency, 0],
  })),
  ...[-5, 0.5, Number.NaN, Infinity, "3", undefined].map((most) => ({
    name: `batches of ${show(most)} items at the most`,
    message: ["item", 1, most],
  })),
].map(({ name, message }) => ({ name, message: ["described", 1, ...message] }));

/** What is not given is the truth; what is given as undefined is a lie. */
function done(
  batch: unknown,
  claimed: unknown,
  ...said: [values?: unknown, failures?: unknown, elapsedMs?: unknown]
): unknown[] {
  const [values, failures, elapsedMs] = [...said, ...[VALUES, undefined, 1].slice(said.length)];
  return ["done", batch, claimed, values, failures, elapsedMs, 0];
}

/** Records that are odd and yet say what they must: with them an answer counts, and they are cut to size. */
export function oddRecords(): { readonly name: string; readonly record: unknown }[] {
  const endless: { name: string; message: string; cause?: unknown } = { name: "Error", message: "again" };
  endless.cause = endless;
  let deep: { name: string; message: string; cause?: unknown } = { name: "Error", message: "at the bottom" };
  for (let depth = 0; depth < 500; depth++) deep = { name: "Error", message: "further up", cause: deep };
  return [
    { name: "a name that is no text", record: { name: {}, message: "no" } },
    { name: "a code that is no text", record: { name: "Error", message: "no", code: { toString: 5 } } },
    { name: "a stack that is no text", record: { name: "Error", message: "no", stack: ["at nowhere"] } },
    { name: "itself as its cause", record: endless },
    { name: "500 causes", record: deep },
    { name: "a cause that is no record", record: { name: "Error", message: "no", cause: 5 } },
    { name: "a message of a million characters", record: { name: "Error", message: "x".repeat(1e6) } },
    { name: "keys that pollute", record: JSON.parse('{"message":"no","__proto__":{"polluted":true},"constructor":1}') },
    { name: "the name of a class", record: { name: "constructor", message: "no" } },
  ];
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (ArrayBuffer.isView(value) || value instanceof Map) return value.constructor.name;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
