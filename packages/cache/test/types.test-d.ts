/** What the compiler promises: types come from values, functions and options. Run by `tsc`, never executed. */
import { type LookUp, type Memoized, ResultCache, memoize } from "@threadmill/cache";

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what makes the compiler compare for identity
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectType<Expected, Actual = Expected>(
  ..._proof: Equal<Expected, Actual> extends true ? [] : [never]
): void {}

const cache = new ResultCache<{ label: string }>({ sizeOf: (value, key) => value.label.length + key.length });

const got = cache.get("a");
expectType<{ label: string } | undefined, typeof got>();
const known = cache.lookUp("a");
expectType<LookUp<{ label: string }>, typeof known>();
if (known.hit) expectType<{ label: string }, typeof known.value>();
else expectType<undefined, typeof known.value>();
const fetched = cache.fetch("a", async ({ key, signal }) => {
  signal.throwIfAborted();
  return { label: key };
});
expectType<Promise<{ label: string }>, typeof fetched>();
cache.on("evict", ({ key, value, reason }) => {
  expectType<string, typeof key>();
  expectType<{ label: string }, typeof value>();
  expectType<"entries" | "bytes", typeof reason>();
});

// @ts-expect-error -- a value of another kind
cache.set("a", { label: 5 });
// @ts-expect-error -- a load of another kind
void cache.fetch("a", () => 5);
// @ts-expect-error -- no such event
cache.on("evicted", () => undefined);
// @ts-expect-error -- no such option
void new ResultCache({ max: 5 });

// Arguments and answers come from the function, for the key, the tags and the size too.
const area = memoize((width: number, height: number) => width * height, {
  key: (width, height) => {
    expectType<[number, number], [typeof width, typeof height]>();
    return `${width}x${height}`;
  },
  tags: (width) => [`${width}`],
  sizeOf: (answer) => {
    expectType<number, typeof answer>();
    return 8;
  },
});
const size = area(2, 3);
expectType<number, typeof size>();
expectType<ResultCache<number>, typeof area.cache>();
area.forget(2, 3);
// @ts-expect-error -- an argument is missing
area(2);

const read = memoize(async (path: string) => ({ path }), {
  sizeOf: ({ path }) => path.length,
});
const reading = read("a");
expectType<Promise<{ path: string }>, typeof reading>();
expectType<ResultCache<{ path: string }>, typeof read.cache>();
const typed: Memoized<unknown, [path: string], Promise<{ path: string }>> = read;
void typed;
// @ts-expect-error -- a cache of other values
memoize((text: string) => text.length, { cache: new ResultCache<string>() });
