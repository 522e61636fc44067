/** What the compiler promises of a remote engine: the same inference as of the engine. Run by `tsc`, never executed. */
import { type Outcome, task } from "@threadmill/engine";
import { type RemoteJobHandle, connectEngine } from "@threadmill/engine/remote";
import { defineTask } from "@threadmill/workers";
import { type MessagePort, type Worker, parentPort } from "node:worker_threads";

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what makes the compiler compare for identity
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectType<Expected, Actual = Expected>(
  ..._proof: Equal<Expected, Actual> extends true ? [] : [never]
): void {}

declare const port: MessagePort;
declare const worker: Worker;
const engine = connectEngine(port);
connectEngine(worker);
if (parentPort !== null) connectEngine(parentPort);
connectEngine(new EventTarget() as EventTarget & { postMessage(message: unknown): void });

const url = new URL("file:///task.js");
const resize = defineTask({
  setup: (options: { width: number }) => options.width,
  item: (photo: string): Uint8Array => new Uint8Array(photo.length),
});
const roots = defineTask({ output: Float32Array, columns: (input: Float64Array, output) => output.set(input) });
const resizing = task<typeof resize>(url, "resize");
const rooting = task<typeof roots>(url, "roots");
const measuring = task<(text: string) => Promise<number>>(url);

const job = engine.run(resizing, ["a.jpg"], { options: { width: 256 } });
expectType<RemoteJobHandle<Uint8Array>, typeof job>();
expectType<Uint8Array[], Awaited<typeof job.result>["values"]>();
for await (const outcome of job) expectType<Outcome<Uint8Array>, typeof outcome>();
for await (const outcomes of job.batches()) expectType<Outcome<Uint8Array>[], typeof outcomes>();
for await (const value of job.values()) expectType<Uint8Array, typeof value>();
job.on("progress", ({ completed }) => expectType<number, typeof completed>());

const collected = engine.run(measuring, ["a"], { onError: "collect" });
expectType<(number | undefined)[], Awaited<typeof collected.result>["values"]>();
const called = await engine.call(measuring, "text");
expectType<number, typeof called>();
const mapped = await engine.map(rooting, new Float64Array(1));
expectType<Float32Array, typeof mapped>();
const many = await engine.map(measuring, new Set(["a"]));
expectType<number[], typeof many>();
// One job feeds another.
engine.run(task<(n: number) => string>(url), engine.run(measuring, ["a"]).values());

// @ts-expect-error items of another type
engine.run(measuring, [1]);
// @ts-expect-error the task needs options
engine.run(resizing, ["a"]);
// @ts-expect-error options of another type
engine.run(resizing, ["a"], { options: { width: "wide" } });
// @ts-expect-error a function cannot be sent
engine.run(measuring, ["a"], { weigh: (text: string) => text.length, maxInFlightBytes: 5 });
// @ts-expect-error an array is no column
void engine.map(rooting, [1]);
// @ts-expect-error warm needs the options too
void engine.warm(resizing);
// @ts-expect-error a misspelt option
engine.run(measuring, ["a"], { concurency: 2 });
