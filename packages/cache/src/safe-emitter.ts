/**
 * An emitter whose listeners cannot harm it, or each other. What happens is told after the operation that caused it, in
 * the order in which it happened: a listener meets a cache whose bounds hold, and may use it.
 */
import { EventEmitter } from "eventemitter3";
import { callSafely } from "./safe-call.js";

type Listener = (event: unknown) => unknown;
type EventName<Events> = keyof Events & string;

/** The one guarded form of each listener, so that `off` finds what `on` was given. */
const guarded = new WeakMap<Listener, Listener>();

export class SafeEmitter<Events extends { [Name in keyof Events]: (event: never) => void }> {
  /** Made for the first listener: until then an event costs one comparison. */
  #emitter: EventEmitter | undefined;
  readonly #untold: { readonly name: string; readonly event: unknown }[] = [];
  #isTelling = false;

  on<Name extends EventName<Events>>(name: Name, listener: Events[Name]): this {
    this.#emitter ??= new EventEmitter();
    this.#emitter.on(name, guard(listener));
    return this;
  }

  once<Name extends EventName<Events>>(name: Name, listener: Events[Name]): this {
    this.#emitter ??= new EventEmitter();
    this.#emitter.once(name, guard(listener));
    return this;
  }

  off<Name extends EventName<Events>>(name: Name, listener: Events[Name]): this {
    this.#emitter?.off(name, guard(listener));
    return this;
  }

  /** The same as `off`, under the name that `once` of `node:events` looks for. */
  removeListener<Name extends EventName<Events>>(name: Name, listener: Events[Name]): this {
    return this.off(name, listener);
  }

  listenerCount(name: EventName<Events>): number {
    return this.#emitter?.listenerCount(name) ?? 0;
  }

  /** Ask before an event is made: most have no listener. */
  protected isHeard(name: EventName<Events>): boolean {
    return this.#emitter !== undefined && this.#emitter.listenerCount(name) > 0;
  }

  /** To be told by {@link tell}, which the operation calls when it is done. */
  protected note<Name extends EventName<Events>>(name: Name, event: Parameters<Events[Name]>[0]): void {
    this.#untold.push({ name, event });
  }

  protected tell(): void {
    if (this.#untold.length === 0 || this.#isTelling) return;
    this.#isTelling = true;
    for (let at = 0; at < this.#untold.length; at++) {
      const next = this.#untold[at];
      if (next !== undefined) this.#emitter?.emit(next.name, next.event);
    }
    this.#untold.length = 0;
    this.#isTelling = false;
  }
}

function guard(listener: unknown): Listener {
  if (typeof listener !== "function") throw new TypeError("a listener must be a function");
  const known = guarded.get(listener as Listener);
  if (known !== undefined) return known;
  const safe = (event: unknown): void => callSafely(listener as Listener, event);
  guarded.set(listener as Listener, safe);
  return safe;
}
