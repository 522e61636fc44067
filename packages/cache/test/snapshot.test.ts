import { describe, expect, it, vi } from "vitest";
import { Snapshot, type SnapshotEntries, type SnapshotLoadContext } from "../src/snapshot.js";

/** A load that waits to be told what it found. */
function held<K, V>() {
  const loads: (PromiseWithResolvers<SnapshotEntries<K, V>> & { readonly context: SnapshotLoadContext })[] = [];
  const load = (context: SnapshotLoadContext): Promise<SnapshotEntries<K, V>> => {
    let resolve!: (entries: SnapshotEntries<K, V>) => void;
    let reject!: (error: unknown) => void;
    const promise = new Promise<SnapshotEntries<K, V>>((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    loads.push({ context, promise, resolve, reject });
    return promise;
  };
  return { load, loads };
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

function logOf(snapshot: Snapshot<string, number>): unknown[] {
  const log: unknown[] = [];
  for (const name of ["start", "progress", "swap", "fail", "abort", "patch", "remove"] as const) {
    snapshot.on(name, (event: object) => log.push([name, event]));
  }
  return log;
}

const sorted = (map: ReadonlyMap<string, number> | undefined): unknown[] =>
  [...(map ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));

describe("a snapshot", () => {
  it("has no value before the first load, which is not the same as an empty one", async () => {
    const snapshot = new Snapshot<string, number>({ load: () => [] });
    expect([snapshot.current, snapshot.get("a"), snapshot.generation]).toEqual([undefined, undefined, 0]);
    await snapshot.reload();
    expect([snapshot.current?.size, snapshot.get("a"), snapshot.generation]).toEqual([0, undefined, 1]);
  });

  it("takes what its load gives: a map, a list, what yields, what yields later", async () => {
    const entries: [string, number][] = [
      ["a", 1],
      ["b", 2],
      ["a", 3],
    ];
    const sources: (() => SnapshotEntries<string, number> | Promise<SnapshotEntries<string, number>>)[] = [
      () => entries,
      () => Promise.resolve(new Map(entries)),
      function* () {
        yield* entries;
      },
      async function* () {
        for (const entry of entries) yield await Promise.resolve(entry);
      },
    ];
    for (const load of sources) {
      const snapshot = new Snapshot<string, number>({ load });
      const value = await snapshot.reload();
      expect(value).toBe(snapshot.current);
      expect(sorted(value)).toEqual([
        ["a", 3],
        ["b", 2],
      ]);
    }
  });

  it("keeps the old value until the new one is whole", async () => {
    const { load, loads } = held<string, number>();
    const snapshot = new Snapshot<string, number>({ load, maxSliceEntries: 1 });
    const first = snapshot.reload();
    loads[0]!.resolve([["a", 1]]);
    await first;
    const seen = new Set<string>();
    let isOver = false;
    const reading = (async () => {
      while (!isOver) {
        seen.add(JSON.stringify(sorted(snapshot.current)));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const second = snapshot.reload();
    expect(snapshot.isLoading).toBe(true);
    loads[1]!.resolve([
      ["b", 2],
      ["c", 3],
    ]);
    await second;
    seen.add(JSON.stringify(sorted(snapshot.current)));
    isOver = true;
    await reading;
    expect(snapshot.isLoading).toBe(false);
    expect([...seen]).toEqual(['[["a",1]]', '[["b",2],["c",3]]']);
  });

  it("has one load at a time, which all who ask share", async () => {
    const { load, loads } = held<string, number>();
    const snapshot = new Snapshot<string, number>({ load });
    const both = [snapshot.reload(), snapshot.reload()];
    expect(loads).toHaveLength(1);
    loads[0]!.resolve([["a", 1]]);
    const [one, other] = await Promise.all(both);
    expect(one).toBe(other);
    const next = snapshot.reload();
    expect(loads).toHaveLength(2);
    loads[1]!.resolve([]);
    await next;
    expect(snapshot.generation).toBe(2);
  });

  it("loses no patch and no removal that comes while it loads", async () => {
    const { load, loads } = held<string, number>();
    const snapshot = new Snapshot<string, number>({ load, maxSliceEntries: 1 });
    const first = snapshot.reload();
    loads[0]!.resolve([
      ["a", 1],
      ["b", 1],
    ]);
    await first;
    const reload = snapshot.reload();
    expect(snapshot.patch("a", 2)).toBe(true);
    expect(snapshot.patch("new", 2)).toBe(true);
    expect(snapshot.remove("b")).toBe(true);
    expect(snapshot.remove("late")).toBe(false);
    expect(sorted(snapshot.current)).toEqual([
      ["a", 2],
      ["new", 2],
    ]);
    loads[1]!.resolve(
      (async function* (): AsyncGenerator<[string, number]> {
        yield ["a", 1];
        yield ["b", 1];
        yield ["late", 1];
        yield ["c", 1];
        // After the load has brought it, and after its slice was taken in.
        await new Promise((resolve) => setImmediate(resolve));
        snapshot.patch("c", 2);
        yield ["c", 1];
      })(),
    );
    expect(sorted(await reload)).toEqual([
      ["a", 2],
      ["c", 2],
      ["new", 2],
    ]);
  });

  it("takes patches into its first load, and says so when there is nothing to patch", async () => {
    const { load, loads } = held<string, number>();
    const snapshot = new Snapshot<string, number>({ load });
    expect(snapshot.patch("a", 5)).toBe(false);
    const reload = snapshot.reload();
    expect(snapshot.patch("b", 6)).toBe(true);
    expect(snapshot.get("b")).toBeUndefined();
    loads[0]!.resolve([
      ["a", 1],
      ["b", 1],
    ]);
    expect(sorted(await reload)).toEqual([
      ["a", 1],
      ["b", 6],
    ]);
  });

  it("leaves whoever took the value what he took", async () => {
    let value = 1;
    const snapshot = new Snapshot<string, number>({
      load: () => [
        ["a", value],
        ["b", value],
      ],
    });
    const first = await snapshot.reload();
    snapshot.patch("a", 10);
    const patched = snapshot.current!;
    snapshot.remove("b");
    snapshot.patch("a", 11);
    value = 2;
    await snapshot.reload();
    expect(sorted(first)).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
    expect(sorted(patched)).toEqual([
      ["a", 10],
      ["b", 1],
    ]);
    expect(sorted(snapshot.current)).toEqual([
      ["a", 2],
      ["b", 2],
    ]);
    expect(snapshot.current).toBe(snapshot.current);
  });

  it("stays what it is when a load fails, and loads again when asked", async () => {
    const { load, loads } = held<string, number>();
    const snapshot = new Snapshot<string, number>({ load });
    const first = snapshot.reload();
    loads[0]!.resolve([["a", 1]]);
    await first;
    const log = logOf(snapshot);
    const failing = snapshot.reload();
    snapshot.patch("b", 2);
    loads[1]!.reject(new Error("the disk is gone"));
    await expect(failing).rejects.toThrow("the disk is gone");
    const half = snapshot.reload();
    loads[2]!.resolve(
      (function* (): Generator<[string, number]> {
        yield ["z", 26];
        throw new Error("in the middle");
      })(),
    );
    await expect(half).rejects.toThrow("in the middle");
    expect(sorted(snapshot.current)).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect([snapshot.isLoading, snapshot.generation]).toEqual([false, 1]);
    expect(log.map((entry) => (entry as [string])[0])).toEqual(["start", "patch", "fail", "start", "fail"]);
    const thrown = new Snapshot<string, number>({
      load: () => {
        throw new Error("at once");
      },
    });
    await expect(thrown.reload()).rejects.toThrow("at once");
    const empty = new Snapshot<string, number>({ load: () => undefined as never });
    await expect(empty.reload()).rejects.toThrow("load must give entries");
  });

  it("lets a caller leave at once, and ends the load with the last one", async () => {
    const { load, loads } = held<string, number>();
    const snapshot = new Snapshot<string, number>({ load, maxSliceEntries: 1 });
    const log = logOf(snapshot);
    const first = new AbortController();
    const second = new AbortController();
    const one = snapshot.reload({ signal: first.signal });
    const other = snapshot.reload({ signal: second.signal });
    const { signal } = loads[0]!.context;
    first.abort(new Error("first"));
    await expect(one).rejects.toThrow("first");
    expect([signal.aborted, snapshot.isLoading]).toEqual([false, true]);
    second.abort(new Error("second"));
    await expect(other).rejects.toThrow("second");
    expect([signal.aborted, snapshot.isLoading, snapshot.current]).toEqual([true, false, undefined]);
    // What comes of it later is nobody's, and its source is told to end.
    const next = snapshot.reload();
    let isEnded = false;
    loads[0]!.resolve(
      (function* (): Generator<[string, number]> {
        try {
          for (let at = 0; ; at++) yield ["old", at];
        } finally {
          isEnded = true;
        }
      })(),
    );
    loads[0]!.context.progress(1, 2);
    loads[1]!.resolve([["new", 1]]);
    expect(sorted(await next)).toEqual([["new", 1]]);
    await vi.waitFor(() => expect(isEnded).toBe(true));
    expect(snapshot.generation).toBe(1);
    expect(log.map((entry) => (entry as [string])[0])).toEqual([
      "start",
      "abort",
      "start",
      "progress",
      "progress",
      "swap",
    ]);
    await expect(snapshot.reload({ signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
    expect(loads).toHaveLength(2);
  });

  it("tells how far it is, in the load's own count or else in entries", async () => {
    const counted = new Snapshot<string, number>({
      maxSliceEntries: 2,
      load: () => new Map(Array.from({ length: 5 }, (_, at) => [`k${at}`, at])),
    });
    const log = logOf(counted);
    expect(counted.progress).toBeUndefined();
    await counted.reload();
    expect(log).toMatchObject([
      ["start", { generation: 1 }],
      ["progress", { done: 2, total: 5 }],
      ["progress", { done: 4, total: 5 }],
      ["progress", { done: 5, total: 5 }],
      ["swap", { generation: 1, entries: 5 }],
    ]);
    expect(counted.progress).toBeUndefined();
    const telling = new Snapshot<string, number>({
      load: async ({ progress }) => {
        progress(1, 3);
        await Promise.resolve();
        expect(telling.progress).toEqual({ done: 1, total: 3 });
        progress(2);
        return [["a", 1]];
      },
    });
    const told = logOf(telling);
    await telling.reload();
    expect(told.slice(1, 3)).toEqual([
      ["progress", { done: 1, total: 3 }],
      ["progress", { done: 2, total: undefined }],
    ]);
    expect(told).toHaveLength(4);
  });

  it("is harmed by no listener", async () => {
    const heard = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const snapshot = new Snapshot<string, number>({ load: () => [["a", 1]] });
    for (const name of ["start", "progress", "swap", "patch", "remove"] as const) {
      snapshot.on(name, () => {
        throw new Error(`in ${name}`);
      });
    }
    const log = logOf(snapshot);
    await snapshot.reload();
    snapshot.patch("a", 2);
    snapshot.remove("a");
    expect(log.map((entry) => (entry as [string])[0])).toEqual(["start", "progress", "swap", "patch", "remove"]);
    expect(heard).toHaveBeenCalledTimes(5);
    heard.mockRestore();
  });

  it("lets the event loop turn after so many entries, however quick they are", async () => {
    let turn = 0;
    let isOver = false;
    const tick = (): void => {
      turn++;
      if (!isOver) setImmediate(tick);
    };
    setImmediate(tick);
    const perTurn = new Map<number, number>();
    const count = (): void => void perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
    function* source(): Generator<[string, number]> {
      for (let at = 0; at < 5_000; at++) {
        count();
        yield [`k${at}`, at];
      }
    }
    async function* laterSource(): AsyncGenerator<[string, number]> {
      yield* source();
    }
    for (const load of [source, laterSource]) {
      perTurn.clear();
      await new Snapshot<string, number>({ load, maxSliceEntries: 100 }).reload();
      expect(Math.max(...perTurn.values())).toBeLessThanOrEqual(100);
      expect([...perTurn.values()].reduce((sum, entries) => sum + entries)).toBe(5_000);
    }
    isOver = true;
  });

  it("refuses options that make no sense", async () => {
    expect(() => new Snapshot({ load: () => [], slice: 5 } as never)).toThrow('unknown option "slice"');
    const snapshot = new Snapshot<string, number>({ load: () => expect.unreachable() });
    await expect(snapshot.reload({ signal: {} as never })).rejects.toThrow("signal must be an AbortSignal");
    expect(snapshot.isLoading).toBe(false);
    expect(() => new Snapshot({ load: 5 as never })).toThrow("load must be a function");
    expect(() => new Snapshot({ load: () => [], maxSliceEntries: 0 })).toThrow("maxSliceEntries");
  });
});
