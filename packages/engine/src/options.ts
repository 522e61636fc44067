/** The options of an engine and of a run: their types, defaults and bounds. Wrong ones are refused at once. */
import { availableParallelism } from "node:os";
import type { ResourceLimits } from "node:worker_threads";
import { InvalidArgumentError } from "@threadmill/protocol";
import type { ItemCacheOptions } from "./jobs/item-memo.js";
import { MAX_TIMER_MS, object, refuseUnknown, positive, range, whole } from "./option-checks.js";
import type { JobRules } from "./scheduler/index.js";

export interface EngineOptions {
  /** Threads of the pool. Default: the parallelism the machine offers. 0: no threads, everything on the main thread. */
  readonly threads?: number;
  /** Target time of a batch in milliseconds. Default 10. */
  readonly batchMs?: number;
  /** Items in a batch at the most. Default 4,096. */
  readonly maxBatchItems?: number;
  /** Live jobs at the most; a further `run` is refused with `QUEUE_FULL`. Default 100,000. */
  readonly maxJobs?: number;
  /**
   * How long a thread may take to let go of cancelled work before it counts as stuck; to look at work that it was given,
   * five times as long. Default 1,000.
   */
  readonly graceMs?: number;
  /** Least time between two `progress` events of a job. Default 100. */
  readonly progressMs?: number;
  /** Bounds of the results that are kept by job id. Default 64 jobs, 64 MiB. */
  readonly results?: { readonly maxEntries?: number; readonly maxBytes?: number };
  /** Tasks with their options that one thread keeps set up. Default 8; the least recently used one is torn down. */
  readonly keepWarm?: number;
  /** Passed on to the threads, as `new Worker` takes them. */
  readonly resourceLimits?: ResourceLimits;
  readonly env?: NodeJS.ProcessEnv;
  readonly execArgv?: readonly string[];
}

export interface RetryOptions {
  /** Runs of one item in all. Default 1: no retry. */
  readonly attempts?: number;
  /** Wait after the first failure, doubled after each further one. Default 100. */
  readonly backoffMs?: number;
  /** Default 30,000. */
  readonly maxBackoffMs?: number;
  /** The share of a wait that chance may take off, from 0 to 1. Default 0.2. */
  readonly jitter?: number;
}

export type OnError = "fail" | "collect";

export interface RunOptions<Item, Options> {
  /**
   * Names the work: a second `run` with the id of a live job joins it, and one with the id of a completed job gets its
   * result. Default: a fresh id.
   */
  readonly id?: string;
  /** Settles this caller's handle as cancelled; the work ends when its last handle has left. */
  readonly signal?: AbortSignal;
  /** What the task's `setup` gets. It is cloned, and threads keep what they set up for equal options. */
  readonly options?: Options;
  /** `fail`: the first failure ends the job. `collect`: failures are reported beside the values. Default `fail`. */
  readonly onError?: OnError;
  readonly retry?: RetryOptions;
  /** Bound of one handler call, from its start. Default: none. */
  readonly timeoutMs?: number;
  /** Share of the threads beside other jobs, above 0. One below a millionth counts as that. Default 1. */
  readonly weight?: number;
  /** Outcomes are read in input order rather than as they end. Default false. */
  readonly ordered?: boolean;
  /** Keep values for `result`. `false`: outcomes can only be read, by one loop, which sets the pace. Default true. */
  readonly collect?: boolean;
  /** Items between source and reader at the most. Default: twice what the threads have in hand. */
  readonly maxInFlight?: number;
  /** Bytes that an item holds in memory, for `maxInFlightBytes`. */
  readonly weigh?: (item: Item) => number;
  /** Bytes between source and reader at the most; a larger item travels alone. Needs `weigh`. */
  readonly maxInFlightBytes?: number;
  /** Items in flight in one thread. Default: as the task says. */
  readonly concurrency?: number;
  /** Items in a batch. Default: adaptive, aiming at `batchMs`. */
  readonly batchSize?: number;
  /** How many items the source will give, where it cannot tell. A hint for progress; corrected when it is passed. */
  readonly total?: number;
  /**
   * Run even if the result is kept under this `id`, and every item even if its value is in `cache`; what is computed is
   * kept all the same. Default false.
   */
  readonly fresh?: boolean;
}

/** The same with `cache`, whose store holds what the task gives. */
export interface RunOptionsWithCache<Item, Options, Result> extends RunOptions<Item, Options> {
  /**
   * Where values of single items are kept, beyond this job: an item whose key is in `store` never reaches a thread. Its
   * outcome is delivered in its place, with `attempt: 0`, and shares its value by reference. Values that are computed are
   * stored as they come; failures never are. Of items with the same key one is run, and the others wait for its value; if
   * it fails for good, they are run too. A `key` or `store` that throws fails the job (`SOURCE_FAILED`, with its error as
   * the cause). Not for columns tasks.
   *
   * ```ts
   * const labels = new ResultCache<Label>({ maxEntries: 50_000 });
   * const key = (photo: Photo) => fingerprint([photo.hash, MODEL_VERSION]);
   * await engine.map(classify, photos, { cache: { store: labels, key } });
   * ```
   */
  readonly cache?: ItemCacheOptions<Item, Result>;
}

/** Options whose types have been checked at the door. */
export type AnyRunOptions = RunOptionsWithCache<never, unknown, unknown>;

export type ResolvedEngineOptions = Required<Omit<EngineOptions, "resourceLimits" | "env" | "execArgv">> &
  Pick<EngineOptions, "resourceLimits" | "env" | "execArgv">;

/**
 * Time is divided by weights and added up for as long as the engine lives: by smaller ones it would become too large for
 * anything to be added to it, and every later job would be in the same place.
 */
const MIN_WEIGHT = 1e-6;

export function resolveEngineOptions(given: EngineOptions = {}): ResolvedEngineOptions {
  const known = [
    "threads",
    "batchMs",
    "maxBatchItems",
    "maxJobs",
    "graceMs",
    "progressMs",
    "results",
    "keepWarm",
    "resourceLimits",
    "env",
    "execArgv",
  ];
  object("createEngine: options", given);
  refuseUnknown("createEngine", given, known);
  const options = {
    ...given,
    threads: given.threads ?? availableParallelism(),
    batchMs: given.batchMs ?? 10,
    maxBatchItems: given.maxBatchItems ?? 4_096,
    maxJobs: given.maxJobs ?? 100_000,
    graceMs: given.graceMs ?? 1_000,
    progressMs: given.progressMs ?? 100,
    results: given.results ?? {},
    keepWarm: given.keepWarm ?? 8,
  };
  whole("threads", options.threads, 0, 1_024);
  positive("batchMs", options.batchMs, 10_000);
  whole("maxBatchItems", options.maxBatchItems, 1, 1_000_000);
  whole("maxJobs", options.maxJobs, 1);
  positive("graceMs", options.graceMs, MAX_TIMER_MS);
  positive("progressMs", options.progressMs, MAX_TIMER_MS);
  whole("keepWarm", options.keepWarm, 1);
  object("createEngine: results", options.results);
  refuseUnknown("createEngine: results", options.results, ["maxEntries", "maxBytes"]);
  const { execArgv, env, resourceLimits } = options;
  if (execArgv !== undefined && !(Array.isArray(execArgv) && execArgv.every((one) => typeof one === "string"))) {
    throw new InvalidArgumentError("createEngine: execArgv must be an array of strings");
  }
  for (const [name, value] of Object.entries({ env, resourceLimits })) {
    if (value !== undefined && (typeof value !== "object" || value === null)) {
      throw new InvalidArgumentError(`createEngine: ${name} must be an object`);
    }
  }
  for (const bound of ["maxEntries", "maxBytes"] as const) {
    const value = options.results[bound];
    if (value !== undefined) whole(`results.${bound}`, value, 1);
  }
  return options;
}

const RUN_OPTIONS = [
  "id",
  "signal",
  "options",
  "onError",
  "retry",
  "timeoutMs",
  "weight",
  "ordered",
  "collect",
  "maxInFlight",
  "weigh",
  "maxInFlightBytes",
  "concurrency",
  "batchSize",
  "total",
  "fresh",
  "cache",
];

/** Checks the options of a run and turns those that concern the scheduler into its rules. */
export function resolveRunOptions<Item, Options>(given: RunOptionsWithCache<Item, Options, unknown>): JobRules {
  object("run: options", given, "; a handler takes one item, so put what belongs together into one");
  refuseUnknown("run", given, RUN_OPTIONS);
  if (given.id !== undefined && (typeof given.id !== "string" || given.id === "" || given.id.length > 1_000)) {
    throw new InvalidArgumentError("run: id must be a string of 1 to 1,000 characters");
  }
  if (given.signal !== undefined && !(given.signal instanceof AbortSignal)) {
    throw new InvalidArgumentError("run: signal must be an AbortSignal");
  }
  if (given.onError !== undefined && given.onError !== "fail" && given.onError !== "collect") {
    throw new InvalidArgumentError(`run: onError must be "fail" or "collect", not ${JSON.stringify(given.onError)}`);
  }
  for (const name of ["ordered", "collect", "fresh"] as const) {
    if (given[name] !== undefined && typeof given[name] !== "boolean") {
      throw new InvalidArgumentError(`run: ${name} must be true or false`);
    }
  }
  if (given.weigh !== undefined && typeof given.weigh !== "function") {
    throw new InvalidArgumentError("run: weigh must be a function");
  }
  if (given.cache !== undefined) checkCache(given.cache);
  if ((given.weigh === undefined) !== (given.maxInFlightBytes === undefined)) {
    throw new InvalidArgumentError("run: weigh and maxInFlightBytes go together");
  }
  const { retry = {}, timeoutMs, weight = 1, maxInFlight, maxInFlightBytes, concurrency, batchSize, total } = given;
  object("run: retry", retry);
  refuseUnknown("run: retry", retry, ["attempts", "backoffMs", "maxBackoffMs", "jitter"]);
  const { attempts = 1, backoffMs = 100, maxBackoffMs = 30_000, jitter = 0.2 } = retry;
  whole("retry.attempts", attempts, 1);
  range("retry.backoffMs", backoffMs, 0, MAX_TIMER_MS);
  range("retry.maxBackoffMs", maxBackoffMs, 0, MAX_TIMER_MS);
  range("retry.jitter", jitter, 0, 1);
  if (timeoutMs !== undefined) positive("timeoutMs", timeoutMs, MAX_TIMER_MS);
  positive("weight", weight, 1e6);
  if (maxInFlight !== undefined) whole("maxInFlight", maxInFlight, 1);
  if (maxInFlightBytes !== undefined) positive("maxInFlightBytes", maxInFlightBytes);
  if (concurrency !== undefined) whole("concurrency", concurrency, 1, 1_024);
  if (batchSize !== undefined) whole("batchSize", batchSize, 1);
  if (total !== undefined) whole("total", total, 0);
  return {
    weight: Math.max(weight, MIN_WEIGHT),
    stopsAtFailure: given.onError !== "collect",
    retry: { attempts, backoffMs, maxBackoffMs, jitter },
    timeoutMs: timeoutMs ?? 0,
    concurrency: concurrency ?? 0,
    batchSize: batchSize ?? 0,
    maxInFlight: maxInFlight ?? 0,
  };
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

/** Nothing of it is called before the job runs, and then it would be too late to throw. */
function checkCache(cache: object): void {
  object("run: cache", cache);
  refuseUnknown("run: cache", cache, ["store", "key"]);
  const { store, key } = cache as { readonly store?: unknown; readonly key?: unknown };
  if (typeof key !== "function") throw new InvalidArgumentError("run: cache.key must be a function");
  const methods = (typeof store === "object" && store !== null ? store : {}) as Readonly<Record<string, unknown>>;
  for (const name of ["get", "has", "set"]) {
    if (typeof methods[name] !== "function") {
      throw new InvalidArgumentError(`run: cache.store must have get, has and set; ${name} is no function`);
    }
  }
}
