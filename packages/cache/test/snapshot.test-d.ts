/** What the compiler promises of snapshots and of caches in files. Run by `tsc`, never executed. */
import { ResultCache, Snapshot } from "../src/index.js";

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what makes the compiler compare for identity
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectType<Expected, Actual = Expected>(
  ..._proof: Equal<Expected, Actual> extends true ? [] : [never]
): void {}

interface Photo {
  readonly path: string;
}

// Keys and values come from the load, in each form that it may have.
const listed = new Snapshot({ load: (): [string, Photo][] => [] });
expectType<Photo | undefined, ReturnType<typeof listed.get>>();
expectType<ReadonlyMap<string, Photo> | undefined, typeof listed.current>();
const mapped = new Snapshot({ load: () => Promise.resolve(new Map<number, Photo>()) });
expectType<ReadonlyMap<number, Photo> | undefined, typeof mapped.current>();
const yielded = new Snapshot({
  load: async function* ({ signal, progress }): AsyncGenerator<[string, number]> {
    signal.throwIfAborted();
    progress(1, 2);
    yield ["a", await Promise.resolve(1)];
  },
});
expectType<Promise<ReadonlyMap<string, number>>, ReturnType<typeof yielded.reload>>();

yielded.on("swap", ({ generation }) => expectType<number, typeof generation>());
yielded.on("patch", ({ key, value }) => {
  expectType<string, typeof key>();
  expectType<number, typeof value>();
});

yielded.patch("a", 1);
// @ts-expect-error -- a value of another type
yielded.patch("a", "1");
// @ts-expect-error -- a key of another type
yielded.remove(1);
// What is current cannot be changed.
expectType<false, "set" extends keyof NonNullable<typeof yielded.current> ? true : false>();
// @ts-expect-error -- there is no such event
yielded.on("reload", () => undefined);
// @ts-expect-error -- entries are pairs
void new Snapshot<string, number>({ load: () => [1, 2] });

const cache = ResultCache.open<Photo>({ persist: { file: "photos.cache" } });
expectType<Promise<ResultCache<Photo>>, typeof cache>();
// @ts-expect-error -- without a file there is nothing to open
void ResultCache.open<Photo>({});
