/**
 * A value of many entries that is loaded as a whole: the new one is built beside the current one and takes its place in
 * one step. Readers never wait, and never see a mixture.
 */
import { InvalidArgumentError } from "@threadmill/protocol";
import { checkNames, checkSignal } from "./cache-options.js";
import { Flights } from "./flights.js";
import { SafeEmitter } from "./safe-emitter.js";
import { ShardedMap } from "./sharded-map.js";
import { Slices } from "./slices.js";
import type { SnapshotEvents, SnapshotProgress } from "./snapshot-events.js";

/** A reader waits for one slice at the most: half of what it may wait, for the rest is the machine's. */
const SLICE_MS = 0.5;

export interface SnapshotLoadContext {
  /** Aborted when the last caller has left; nothing of what comes later is used. */
  readonly signal: AbortSignal;
  /** How far the load is, in whatever it counts. Without it, the entries that have come in are counted. */
  readonly progress: (done: number, total?: number) => void;
}

/** A Map is one too. It is read a slice at a time, so leave it alone once it was handed over. */
export type SnapshotEntries<K, V> = Iterable<readonly [K, V]> | AsyncIterable<readonly [K, V]>;

export interface SnapshotOptions<K, V> {
  /**
   * Where the entries come from. Of two with one key the later one holds. Better than one large Map is what yields them
   * as they come: filling a large Map holds everybody up for milliseconds.
   */
  readonly load: (context: SnapshotLoadContext) => SnapshotEntries<K, V> | PromiseLike<SnapshotEntries<K, V>>;
  /** Entries taken in at a stretch, at the most, also if they are quick. Default 256. */
  readonly maxSliceEntries?: number | undefined;
}

export interface ReloadOptions {
  /** This caller leaves when it is aborted, at once, with its reason. The load ends when the last one has left. */
  readonly signal?: AbortSignal | undefined;
}

/** A load and what has come of it so far. */
interface Building<K, V> {
  readonly entries: ShardedMap<K, V>;
  /** Patched or removed since the load began: newer than what it brings for them. */
  readonly overtaken: Set<K>;
  readonly startedMs: number;
  progress: SnapshotProgress | undefined;
}

/**
 * Before the first load has ended there is no value, which is not the same as an empty one: `current` is `undefined`, and
 * so is what `get` answers.
 *
 * Keys that are strings or numbers are spread well; with other keys, all entries lie together, which is only slower.
 */
export class Snapshot<K, V> extends SafeEmitter<SnapshotEvents<K, V>> {
  readonly #load: SnapshotOptions<K, V>["load"];
  readonly #maxSliceEntries: number;
  readonly #flights = new Flights<ReadonlyMap<K, V>>();
  #entries: ShardedMap<K, V> | undefined;
  #building: Building<K, V> | undefined;
  #generation = 0;

  /** @throws {InvalidArgumentError} an option that makes no sense. */
  constructor(options: SnapshotOptions<K, V>) {
    super();
    checkNames("Snapshot", options, ["load", "maxSliceEntries"]);
    const { load, maxSliceEntries = 256 } = options;
    if (typeof load !== "function") throw new InvalidArgumentError("load must be a function");
    if (!Number.isSafeInteger(maxSliceEntries) || maxSliceEntries < 1) {
      throw new InvalidArgumentError(`maxSliceEntries must be a whole number above 0, not ${String(maxSliceEntries)}`);
    }
    this.#load = load;
    this.#maxSliceEntries = maxSliceEntries;
  }

  /**
   * All entries as they are now. What was taken stays as it is: no load, patch or removal changes it. Its order means
   * nothing.
   */
  get current(): ReadonlyMap<K, V> | undefined {
    return this.#entries?.view();
  }

  /** From the current value, whichever that is; for several that must fit together, ask one `current`. */
  get(key: K): V | undefined {
    return this.#entries?.get(key);
  }

  get isLoading(): boolean {
    return this.#building !== undefined;
  }

  /** Of the load that runs, once it has said something. */
  get progress(): SnapshotProgress | undefined {
    return this.#building?.progress;
  }

  /** How often a load has succeeded; 0: there is no value yet. Patches do not count. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Loads anew, or joins the load that runs: that one may have begun before what you know of changed. Then patch it, or
   * reload again after it.
   *
   * @returns the new value. Rejects with what the load throws or with `signal.reason`; the current value then stays.
   *   A load must not wait for a reload: it would wait for itself.
   * @throws {InvalidArgumentError} (rejects) an option that makes no sense.
   */
  async reload(options: ReloadOptions = {}): Promise<ReadonlyMap<K, V>> {
    checkNames("reload", options, ["signal"]);
    const { signal } = options;
    checkSignal(signal);
    signal?.throwIfAborted();
    const running = this.#flights.find(ONLY);
    if (running !== undefined) return running.join(signal);
    const flight = this.#flights.begin(ONLY, []);
    const answer = flight.join(signal);
    const building = this.#begin();
    flight.signal.addEventListener("abort", () => this.#end(building, "abort", { reason: flight.signal.reason }));
    void flight.run(() => this.#build(building, flight.signal), {
      onLoaded: () => {
        this.#entries = building.entries;
        this.#generation++;
        const entries = building.entries.view().size;
        const elapsedMs = performance.now() - building.startedMs;
        this.#end(building, "swap", { generation: this.#generation, entries, elapsedMs });
      },
      onFailed: (error) => this.#end(building, "fail", { error }),
    });
    this.tell();
    return answer;
  }

  /**
   * Sets one entry, in the current value and in the one that is being loaded, where it holds against what the load
   * brings.
   *
   * @returns false if there is neither: the first load, whenever it begins, will find what is true then.
   */
  patch(key: K, value: V): boolean {
    const building = this.#building;
    building?.overtaken.add(key);
    building?.entries.set(key, value);
    if (this.#entries === undefined) return building !== undefined;
    this.#entries.set(key, value);
    if (this.isHeard("patch")) this.note("patch", { key, value });
    this.tell();
    return true;
  }

  /** The same for an entry that is no more. True if the current value had it. */
  remove(key: K): boolean {
    this.#building?.overtaken.add(key);
    this.#building?.entries.delete(key);
    if (this.#entries?.delete(key) !== true) return false;
    if (this.isHeard("remove")) this.note("remove", { key });
    this.tell();
    return true;
  }

  #begin(): Building<K, V> {
    const building = {
      entries: new ShardedMap<K, V>(),
      overtaken: new Set<K>(),
      startedMs: performance.now(),
      progress: undefined,
    };
    this.#building = building;
    if (this.isHeard("start")) this.note("start", { generation: this.#generation + 1 });
    return building;
  }

  #end<Name extends "swap" | "fail" | "abort">(
    building: Building<K, V>,
    name: Name,
    event: Parameters<SnapshotEvents<K, V>[Name]>[0],
  ): void {
    if (this.#building !== building) return;
    this.#building = undefined;
    if (this.isHeard(name)) this.note(name, event);
    this.tell();
  }

  async #build(building: Building<K, V>, signal: AbortSignal): Promise<ReadonlyMap<K, V>> {
    let doesCount = true;
    const progress = (done: number, total?: number): void => {
      doesCount = false;
      this.#report(building, { done, total });
    };
    const source = await this.#load({ signal, progress });
    if (typeof source !== "object" || source === null) throw new TypeError("load must give entries to go through");
    const slices = new Slices({ maxMs: SLICE_MS, maxSteps: this.#maxSliceEntries });
    const total = source instanceof Map ? source.size : undefined;
    let done = 0;
    const take = ([key, value]: readonly [K, V]): boolean => {
      signal.throwIfAborted();
      if (!building.overtaken.has(key)) building.entries.set(key, value);
      done++;
      return slices.step();
    };
    const rest = async (): Promise<void> => {
      if (doesCount) this.#report(building, { done, total });
      await slices.rest();
    };
    if (Symbol.asyncIterator in source) {
      for await (const entry of source) if (take(entry)) await rest();
    } else {
      for (const entry of source) if (take(entry)) await rest();
    }
    if (doesCount) this.#report(building, { done, total: done });
    return building.entries.view();
  }

  #report(building: Building<K, V>, progress: SnapshotProgress): void {
    if (this.#building !== building) return;
    building.progress = progress;
    if (this.isHeard("progress")) this.note("progress", progress);
    this.tell();
  }
}

/** There is one load at a time. */
const ONLY = "";
