/** Events that cannot harm the engine: what a listener throws is reported, and the next listener is called. */
import type { EventEmitter } from "eventemitter3";

/** The events of an emitter: for each name, the arguments of its listeners. */
export type EventMap = Record<string, (...args: never[]) => void>;

/**
 * Calls every listener, as `emitter.emit` would but for throws: those become a process warning with the code
 * `THREADMILL_LISTENER`, since there is no caller whom they could reach.
 */
export function emitSafely(emitter: EventEmitter, event: string, argument?: unknown): void {
  if (emitter.listenerCount(event) === 0) return;
  for (const listener of emitter.listeners(event)) {
    emitter.removeListener(event, listener, undefined, true);
    try {
      (listener as (argument: unknown) => void)(argument);
    } catch (error) {
      reportListener(event, error);
    }
  }
}

export function reportListener(event: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`a listener of ${JSON.stringify(event)} threw: ${text}`, { code: "THREADMILL_LISTENER" });
}
