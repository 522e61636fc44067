/** What of a remote run can be refused at once, on the client's side. */
import { fingerprint } from "@threadmill/cache";
import { InvalidArgumentError } from "@threadmill/protocol";
import { type AnyRunOptions, resolveRunOptions } from "../options.js";
import { optionsRefusal } from "../recipes.js";
import { checkTaskReference } from "../task.js";
import { nameShared } from "../shared-names.js";
import type { WireRunOptions, WireTaskOptions } from "./messages.js";

/** The others stay with the client, or are named in a field of their own. */
const SENT = [
  "onError",
  "retry",
  "timeoutMs",
  "weight",
  "collect",
  "maxInFlight",
  "concurrency",
  "batchSize",
  "total",
  "fresh",
] as const satisfies readonly (keyof WireRunOptions)[];
const FUNCTIONS = ["weigh", "maxInFlightBytes", "cache"] as const;

/**
 * The options that travel.
 *
 * @throws {InvalidArgumentError} no task, options that are wrong, or that hold what cannot travel.
 */
export function checkRun(task: unknown, options: AnyRunOptions): WireRunOptions {
  checkTaskReference(task);
  resolveRunOptions(options);
  for (const name of FUNCTIONS) {
    if (options[name] === undefined) continue;
    throw new InvalidArgumentError(`run: ${name} cannot be sent to a remote engine: it needs a function on this side`);
  }
  const sent: Record<string, unknown> = {};
  for (const name of SENT) {
    const value = options[name];
    // As they are now: the request leaves at the end of the tick.
    if (value !== undefined) sent[name] = typeof value === "object" ? { ...value } : value;
  }
  return sent;
}

/** @throws {InvalidArgumentError} task options that cannot travel. */
export function nameOptions(options: unknown): WireTaskOptions {
  try {
    // Cloned now: what the caller changes later is another job's. Shared memory is another object whenever it is sent;
    // by the name that it has here the engine knows it again.
    return { key: fingerprint(options, { nameShared }), value: structuredClone(options) };
  } catch (error) {
    throw optionsRefusal(error);
  }
}
