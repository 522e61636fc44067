/** What the compiler promises: no cast between `run` and the handler. Run by `tsc`, never executed. */
import { type JobHandle, type Outcome, type RunOptionsWithCache, createEngine, task } from "@threadmill/engine";
import { defineTask } from "@threadmill/workers";

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what makes the compiler compare for identity
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectType<Expected, Actual = Expected>(
  ..._proof: Equal<Expected, Actual> extends true ? [] : [never]
): void {}

const engine = createEngine({ threads: 0 });
const url = new URL("file:///task.js");

const resize = defineTask({
  setup: (options: { width: number }) => ({ scale: options.width / 2 }),
  item: async (photo: string, ctx): Promise<Uint8Array> => {
    expectType<{ scale: number }, typeof ctx.resource>();
    expectType<{ width: number }, typeof ctx.options>();
    return new Uint8Array(ctx.resource.scale + photo.length);
  },
});
const classify = defineTask({ batch: (photos: string[]): number[] => photos.map((photo) => photo.length) });
const plain = (text: string): Promise<number> => Promise.resolve(text.length);

const resizing = task<typeof resize>(url, "resize");
const classifying = task<typeof classify>(url, "classify");
const measuring = task<typeof plain>(url);

// Items, results and options come from the handler.
const job = engine.run(resizing, ["a.jpg"], { options: { width: 256 } });
expectType<JobHandle<Uint8Array>, typeof job>();
expectType<Uint8Array[], Awaited<typeof job.result>["values"]>();
for await (const outcome of job) expectType<Outcome<Uint8Array>, typeof outcome>();
for await (const value of job.values()) expectType<Uint8Array, typeof value>();
expectType<number[], Awaited<ReturnType<typeof mapClassify>>>();
function mapClassify(): Promise<number[]> {
  return engine.map(classifying, new Set(["a"]));
}
const called = await engine.call(measuring, "text");
expectType<number, typeof called>();

// One job feeds another.
engine.run(measuring, engine.run(task<(n: number) => string>(url), [1]).values());

// A task whose type nobody has said takes anything, and gives what must be looked at first.
const untyped = engine.map(task(url), [1, "a"], { options: { width: 256 } });
expectType<Promise<unknown[]>, typeof untyped>();

// Under collect a value may be missing.
const collected = engine.run(classifying, ["a"], { onError: "collect" });
expectType<(number | undefined)[], Awaited<typeof collected.result>["values"]>();

// A columns task takes and gives columns of its own classes.
const roots = defineTask({
  output: Float32Array,
  columns: (input: Float64Array, output, ctx) => {
    expectType<Float32Array, typeof output>();
    expectType<number, typeof ctx.index>();
    output.set(input);
  },
});
const rooting = task<typeof roots>(url, "roots");
const column = engine.run(rooting, new Float64Array(1), { onError: "collect" });
expectType<Float32Array, Awaited<typeof column.result>["values"]>();
for await (const outcome of column) expectType<Outcome<number>, typeof outcome>();
const mapped = await engine.map(rooting, new Float64Array(1));
expectType<Float32Array, typeof mapped>();
// @ts-expect-error a column of another class
void engine.map(rooting, new Float32Array(1));
// @ts-expect-error an array is no column
void engine.map(rooting, [1]);
// @ts-expect-error a columns handler needs the class of its output
defineTask({ columns: (input: Float64Array, output: Float64Array) => output.set(input) });

// A weigher sees items.
engine.run(measuring, ["a"], { weigh: (text) => text.length, maxInFlightBytes: 1_000 });

// A cache holds what the task gives, and its key sees items.
const lengths = new Map<string, number>();
engine.run(measuring, ["a"], { cache: { store: lengths, key: (text, index) => text.slice(index) } });
engine.run(classifying, ["a"], { cache: { store: lengths, key: () => undefined }, onError: "collect" });
const cachedOptions: RunOptionsWithCache<string, { width: number }, Uint8Array> = {
  cache: { store: new Map<string, Uint8Array>(), key: String },
};
engine.run(resizing, ["a.jpg"], { ...cachedOptions, options: { width: 1 } });
void engine.map(measuring, ["a"], { cache: { store: lengths, key: String } });
void engine.call(measuring, "a", { cache: { store: lengths, key: String } });
// @ts-expect-error a store of something else
engine.run(measuring, ["a"], { cache: { store: new Map<string, string>(), key: String } });
// @ts-expect-error a store that may hold something else as well
engine.run(measuring, ["a"], { cache: { store: new Map<string, number | string>(), key: String } });
// @ts-expect-error a store that takes only some of the values
engine.run(measuring, ["a"], { cache: { store: new Map<string, 1 | 2>(), key: String } });
// @ts-expect-error a key for items of another type
engine.run(measuring, ["a"], { cache: { store: lengths, key: (item: number) => String(item) } });
// @ts-expect-error a key that is no string
engine.run(measuring, ["a"], { cache: { store: lengths, key: () => 1 } });
// @ts-expect-error a columns task has no single items
engine.run(rooting, new Float64Array(1), { cache: { store: lengths, key: String } });

// @ts-expect-error items of another type
engine.run(measuring, [1]);
// @ts-expect-error an item of another type
void engine.call(measuring, 1);
// @ts-expect-error the task needs options
engine.run(resizing, ["a"]);
// @ts-expect-error the task needs options, beside others
engine.run(resizing, ["a"], { id: "x" });
// @ts-expect-error options of another type
engine.run(resizing, ["a"], { options: { width: "wide" } });
// @ts-expect-error options without a required field
void engine.map(resizing, ["a"], { options: {} });
// @ts-expect-error warm needs the options too
void engine.warm(resizing);
// @ts-expect-error a misspelt option
engine.run(measuring, ["a"], { concurency: 2 });
// @ts-expect-error an unknown way to treat errors
engine.run(measuring, ["a"], { onError: "ignore" });
// @ts-expect-error one job's values are not what the next one takes
engine.run(measuring, engine.run(measuring, ["a"]).values());
// @ts-expect-error a batch handler has no concurrency
defineTask({ concurrency: 2, batch: (items: number[]) => items });
// @ts-expect-error exactly one handler
defineTask({ item: (item: number) => item, batch: (items: number[]) => items });
