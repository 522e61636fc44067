/**
 * Loads in flight, one for each key, each shared by all who ask for it meanwhile. A flight that is overtaken, because its
 * key was set, deleted or invalidated, goes on for those who are on it, takes nobody else on, and stores nothing.
 */
import { addAbortListener, removeAbortListener } from "./abort-listeners.js";

export interface LoadContext {
  readonly key: string;
  /** Aborted when the last caller has left, or the cache is closed. Made only if it is asked for. */
  readonly signal: AbortSignal;
}

export type Load<Value> = (context: LoadContext) => Value | PromiseLike<Value>;

/** What the first caller said about the value; it holds for all. */
export interface Landing<Value> {
  /** Called if the flight was not overtaken, before the callers hear of the end. */
  onLoaded(value: Value): void;
  onFailed(error: unknown): void;
}

interface Waiter<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly leave: () => void;
}

export class Flight<Value> implements LoadContext {
  readonly key: string;
  readonly tags: Set<string>;
  readonly #flights: Flights<Value>;
  readonly #waiters = new Set<Waiter<Value>>();
  #controller: AbortController | undefined;
  #abortReason: { readonly reason: unknown } | undefined;

  constructor(key: string, flights: Flights<Value>, tags: Iterable<string>) {
    this.key = key;
    this.#flights = flights;
    this.tags = new Set(tags);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason.reason);
    }
    return this.#controller.signal;
  }

  /** A caller comes on board; without a signal it stays to the end. */
  join(signal: AbortSignal | undefined): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      const waiter: Waiter<Value> = { resolve, reject, signal, leave: () => this.#leave(waiter) };
      this.#waiters.add(waiter);
      if (signal !== undefined) addAbortListener(signal, waiter.leave);
    });
  }

  #leave(waiter: Waiter<Value>): void {
    const reason: unknown = waiter.signal?.reason;
    this.#waiters.delete(waiter);
    waiter.reject(reason);
    if (this.#waiters.size === 0) this.abandon(reason);
  }

  /** Never rejects: what happens is told to those on board. */
  async run(load: Load<Value>, landing: Landing<Value>): Promise<void> {
    try {
      const value = await load(this);
      if (this.#flights.land(this)) landing.onLoaded(value);
      for (const waiter of this.#takeWaiters()) waiter.resolve(value);
    } catch (error) {
      if (this.#flights.land(this)) landing.onFailed(error);
      for (const waiter of this.#takeWaiters()) waiter.reject(error);
    }
  }

  /** Nobody is interested any more. Whoever asks next gets a load of its own. */
  abandon(reason: unknown): void {
    this.#flights.land(this);
    this.#abortReason ??= { reason };
    this.#controller?.abort(reason);
    for (const waiter of this.#takeWaiters()) waiter.reject(reason);
  }

  #takeWaiters(): Waiter<Value>[] {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const { signal, leave } of waiters) if (signal !== undefined) removeAbortListener(signal, leave);
    return waiters;
  }
}

export class Flights<Value> {
  readonly #byKey = new Map<string, Flight<Value>>();
  /** All that somebody is on, overtaken ones too: to be ended when the cache is closed. */
  readonly #all = new Set<Flight<Value>>();

  find(key: string): Flight<Value> | undefined {
    return this.#byKey.get(key);
  }

  begin(key: string, tags: Iterable<string>): Flight<Value> {
    const flight = new Flight<Value>(key, this, tags);
    this.#byKey.set(key, flight);
    this.#all.add(flight);
    return flight;
  }

  /** The flight is over. True if its value may be stored. */
  land(flight: Flight<Value>): boolean {
    this.#all.delete(flight);
    if (this.#byKey.get(flight.key) !== flight) return false;
    return this.#byKey.delete(flight.key);
  }

  /** What is being loaded for the key is no longer what will be asked for. */
  overtake(key: string): void {
    this.#byKey.delete(key);
  }

  overtakeTagged(tag: string): void {
    for (const [key, { tags }] of this.#byKey) if (tags.has(tag)) this.#byKey.delete(key);
  }

  overtakeAll(): void {
    this.#byKey.clear();
  }

  /** All loads are told to end, and all callers hear the reason. */
  abandonAll(reason: unknown): void {
    for (const flight of [...this.#all]) flight.abandon(reason);
  }
}
