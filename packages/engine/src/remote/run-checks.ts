/** What of a remote run can be refused at once, on the client's side. */
import { fingerprint } from "@threadmill/cache";
import { InvalidArgumentError } from "@threadmill/protocol";
import { type RunOptions, resolveRunOptions } from "../options.js";
import { checkTaskReference } from "../task.js";
import { nameShared } from "../shared-names.js";
import type { WireRunOptions, WireTaskOptions } from "./messages.js";

/** What stays with the client, or is named in a field of its own. */
const OWN = new Set(["id", "signal", "options", "ordered"]);
const SENT = new Set<string>([
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
] satisfies (keyof WireRunOptions)[]);

/**
 * The options that travel.
 *
 * @throws {InvalidArgumentError} no task, options that are wrong, or that hold what cannot travel.
 */
export function checkRun(task: unknown, options: RunOptions<never, unknown>): WireRunOptions {
  checkTaskReference(task);
  resolveRunOptions(options);
  const sent: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    // As they are now: the request leaves at the end of the tick.
    if (SENT.has(name)) sent[name] = typeof value === "object" ? { ...value } : value;
    else if (!OWN.has(name) && value !== undefined) {
      throw new InvalidArgumentError(
        `run: ${name} cannot be sent to a remote engine: it needs a function on this side`,
      );
    }
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
    const reason = (error as Error).message.replace("the value", "options");
    throw new InvalidArgumentError(`run: options cannot travel: ${reason}`, { cause: error });
  }
}

/** @throws {InvalidArgumentError} the options ask for more than values. */
export function refuseCollect(
  what: string,
  options: { readonly onError?: unknown; readonly collect?: unknown } | undefined,
): void {
  if (options?.onError === "collect" || options?.collect === false) {
    throw new InvalidArgumentError(
      `${what}: it answers with values only; use run for onError: "collect" or collect: false`,
    );
  }
}
