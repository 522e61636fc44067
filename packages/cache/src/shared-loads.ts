/** What `fetch` does when the value is not there: join the load that is under way, or begin one that others can join. */
import { type SetOptions, checkDuration, checkFunction, checkKey, checkNames, checkSignal } from "./cache-options.js";
import type { Tally } from "./cache-stats.js";
import { Failures } from "./failures.js";
import { Flights, type Load } from "./flights.js";

export interface FetchOptions<Value = unknown> extends Pick<SetOptions, "ttlMs" | "tags"> {
  /** What the value counts for, in place of the cache's `sizeOf` or the estimate. */
  readonly sizeOf?: ((value: Value) => number) | undefined;
  /** This caller leaves when it is aborted, at once, with its reason. The load ends when the last one has left. */
  readonly signal?: AbortSignal | undefined;
  /** How long a failure is remembered: who asks meanwhile gets the same error. Default: not at all. */
  readonly cacheFailuresMs?: number | undefined;
}

/** What the cache does with what is loaded. */
interface LoadsOwner<Value> {
  /** False: everybody loads for himself. */
  isShared(): boolean;
  /** What the value counts for. May run the caller's code, and throw. */
  measure(key: string, value: Value, tags: readonly string[], sizeOf: FetchOptions<Value>["sizeOf"]): number;
  store(key: string, value: Value, facts: { bytes: number; tags: readonly string[]; ttlMs: number | undefined }): void;
}

const FETCH_OPTIONS = ["ttlMs", "tags", "sizeOf", "signal", "cacheFailuresMs"];

/** @throws {InvalidArgumentError} what makes no sense. */
export function checkFetch(key: unknown, load: unknown, options: FetchOptions<never>): void {
  checkKey(key);
  checkFunction("load", load ?? null);
  checkNames("fetch", options, FETCH_OPTIONS);
  checkSignal(options.signal);
  checkFunction("sizeOf", options.sizeOf);
  checkDuration("ttlMs", options.ttlMs);
  checkDuration("cacheFailuresMs", options.cacheFailuresMs);
}

export class SharedLoads<Value> {
  readonly #flights = new Flights<Value>();
  readonly #failures = new Failures();
  readonly #tally: Tally;
  readonly #now: () => number;
  readonly #owner: LoadsOwner<Value>;

  constructor(tally: Tally, now: () => number, owner: LoadsOwner<Value>) {
    this.#tally = tally;
    this.#now = now;
    this.#owner = owner;
  }

  /** The value of the load that is under way, else of a new one. */
  join(key: string, load: Load<Value>, tags: readonly string[], options: FetchOptions<Value>): Promise<Value> {
    const { signal, ttlMs, sizeOf, cacheFailuresMs } = options;
    const failure = this.#failures.size === 0 ? undefined : this.#failures.find(key, this.#now());
    if (failure !== undefined) throw failure.error;
    const shared = this.#owner.isShared() ? this.#flights.find(key) : undefined;
    if (shared !== undefined) {
      // Whatever anybody knows it to depend on can make it out of date.
      for (const tag of tags) shared.tags.add(tag);
      return shared.join(signal);
    }
    const flight = this.#flights.begin(key, tags);
    const answer = flight.join(signal);
    this.#tally.loads++;
    let bytes = 0;
    const loadAndMeasure: Load<Value> = async (context) => {
      const value = await load(context);
      // Still in flight: `sizeOf` is the caller's code, and may overtake it.
      if (this.#flights.find(key) === flight && this.#owner.isShared()) {
        bytes = this.#owner.measure(key, value, [...flight.tags], sizeOf);
      }
      return value;
    };
    void flight.run(loadAndMeasure, {
      onLoaded: (value) => {
        if (this.#owner.isShared()) this.#owner.store(key, value, { bytes, tags: [...flight.tags], ttlMs });
      },
      onFailed: (error) => {
        this.#tally.loadFailures++;
        if (cacheFailuresMs === undefined || !this.#owner.isShared()) return;
        const sinceMs = this.#now();
        this.#failures.add(key, { error, sinceMs, untilMs: sinceMs + cacheFailuresMs, tags: flight.tags });
      },
    });
    return answer;
  }

  /** What is being loaded for the key is no longer what will be asked for, and a failure no longer what to expect. */
  overtake(key: string): void {
    this.#flights.overtake(key);
    this.#failures.delete(key);
  }

  overtakeTagged(tag: string): void {
    this.#flights.overtakeTagged(tag);
    this.#failures.deleteTagged(tag);
  }

  overtakeAll(): void {
    this.#flights.overtakeAll();
    this.#failures.clear();
  }

  /** All loads are told to end, and all who wait hear the reason. */
  close(reason: unknown): void {
    this.#flights.abandonAll(reason);
    this.#failures.clear();
  }
}
