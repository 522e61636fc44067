/**
 * An emitter whose listeners cannot harm it: what one throws becomes a process warning, and the others are called all
 * the same. There is no caller whom a throw could reach, for events come from the engine's own steps.
 */
import { EventEmitter } from "eventemitter3";
import { warn } from "./warn.js";

type Listener = (...args: unknown[]) => unknown;
type EventName<Events> = keyof Events & string;
type ArgumentsOf<Handler> = Handler extends (...args: infer Arguments) => void ? Arguments : never;

/** The one guarded form of each listener, so that `off` finds what `on` was given. */
const guarded = new WeakMap<Listener, Listener>();

export class SafeEmitter<Events> {
  /** Made for the first listener: there may be many thousands of handles that nobody listens to. */
  #emitter: EventEmitter | undefined;

  on<Name extends EventName<Events>>(event: Name, listener: Events[Name]): this {
    const safe = guard(listener);
    this.#emitter ??= new EventEmitter();
    this.#emitter.on(event, safe, this);
    return this;
  }

  once<Name extends EventName<Events>>(event: Name, listener: Events[Name]): this {
    const safe = guard(listener);
    this.#emitter ??= new EventEmitter();
    this.#emitter.once(event, safe, this);
    return this;
  }

  off<Name extends EventName<Events>>(event: Name, listener: Events[Name]): this {
    const safe = guard(listener);
    this.#emitter?.off(event, safe);
    return this;
  }

  /** The same as `off`, under the name that `once` of `node:events` looks for. */
  removeListener<Name extends EventName<Events>>(event: Name, listener: Events[Name]): this {
    return this.off(event, listener);
  }

  listenerCount(event: EventName<Events>): number {
    return this.#emitter?.listenerCount(event) ?? 0;
  }

  /** Calls all listeners. Never throws. */
  protected emit<Name extends EventName<Events>>(event: Name, ...args: ArgumentsOf<Events[Name]>): void {
    this.#emitter?.emit(event, ...args);
  }
}

function guard(listener: unknown): Listener {
  if (typeof listener !== "function") throw new TypeError("a listener must be a function");
  const known = guarded.get(listener as Listener);
  if (known !== undefined) return known;
  const safe = function (this: unknown, ...args: unknown[]): void {
    try {
      const answer = (listener as Listener).apply(this, args);
      // An async listener fails later, and its rejection would end the process.
      if (answer instanceof Promise) answer.catch(report);
    } catch (error) {
      report(error);
    }
  };
  guarded.set(listener as Listener, safe);
  return safe;
}

function report(error: unknown): void {
  warn("THREADMILL_LISTENER", "a listener threw", error);
}
