/**
 * What this service does, without a word of HTTP: it starts jobs, lets callers hold on to live ones, and remembers for
 * a while how they ended.
 */
import { ResultCache } from "@threadmill/cache";
import { type Engine, type JobHandle, type JobState, TaskError, task } from "@threadmill/engine";
import type { Range, countPrimes } from "./work.js";

/** How many primes are there below this number? */
export interface Question {
  readonly below: number;
}

/** A job in flight. */
export interface LiveJob extends Question {
  readonly id: string;
  /** Observes: it holds nothing, and hears the end of the job, whoever leaves before. */
  readonly handle: JobHandle<unknown>;
  /** Never rejects. */
  readonly settled: Promise<SettledJob>;
}

export interface SettledJob extends Question {
  readonly id: string;
  readonly state: JobState;
  /** The answer of a completed job. */
  readonly primes?: number;
  /** Why there is none. */
  readonly error?: { readonly code?: string; readonly message: string };
}

/** Numbers in an item: some milliseconds of work, so that a cancel need not look into it. */
const SPAN = 10_000;
const REMEMBERED_JOBS = 1_000;

const counting = task<typeof countPrimes>(new URL("./work.js", import.meta.url), "countPrimes");

export class Jobs {
  readonly #engine: Engine;
  readonly #live = new Map<string, LiveJob>();
  readonly #settled = new ResultCache<SettledJob>({ maxEntries: REMEMBERED_JOBS });

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Starts the job, joins the one that answers this question already, or takes the answer that the engine has kept. The
   * work goes on until all who asked have left; without a signal nobody leaves.
   *
   * @throws {ThreadmillError} `QUEUE_FULL`, `ENGINE_CLOSED`, `JOB_ID_CONFLICT`, as `engine.run`.
   */
  start({ below }: Question, signal?: AbortSignal): LiveJob {
    // Made of all that the answer depends on: the same question is the same job.
    const id = `primes-below-${below}`;
    const total = Math.ceil(below / SPAN);
    const own = this.#engine.run(counting, rangesBelow(below), { id, total, ...(signal && { signal }) });
    // Our own handle ends when our caller leaves, the job perhaps later. A kept answer has only the handle.
    const handle = this.#observed(id) ?? own;
    const known = this.#live.get(id);
    if (known?.handle === handle) return known;
    const settled = endOf(id, below, handle).then((end) => {
      if (this.#live.get(id) === live) this.#live.delete(id);
      this.#settled.set(id, end);
      return end;
    });
    const live: LiveJob = { id, below, handle, settled };
    this.#live.set(id, live);
    return live;
  }

  /**
   * Holds on to a live job until the signal; undefined if none has this id, or the engine is closing, which lets nobody
   * hold on to anything: one may still look.
   */
  join(id: string, signal: AbortSignal): LiveJob | undefined {
    const live = this.#live.get(id);
    // One that has ended a moment ago must not be started again by someone who only wants to watch.
    if (live === undefined || live.handle !== this.#observed(id)) return undefined;
    try {
      return this.start(live, signal);
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENGINE_CLOSED") return undefined;
      throw error;
    }
  }

  /** A live job, or how one that has settled not long ago did; undefined if this id is not, or no longer, known. */
  find(id: string): LiveJob | SettledJob | undefined {
    return this.#live.get(id) ?? this.#settled.get(id);
  }

  /** Cancels the job for all who wait for it, and answers how it ended. It may have been over before. */
  async cancel(id: string): Promise<SettledJob | undefined> {
    const job = this.find(id);
    if (job === undefined || !("handle" in job)) return job;
    job.handle.cancel(new DOMException("cancelled on request", "AbortError"));
    return await job.settled;
  }

  /** The one handle of all who only look at a live job: as long as it is the same, so is the job. */
  #observed(id: string): JobHandle<unknown> | undefined {
    const job = this.#engine.job(id);
    return job !== undefined && "progress" in job ? job : undefined;
  }
}

function* rangesBelow(below: number): Generator<Range> {
  for (let from = 0; from < below; from += SPAN) yield { from, to: Math.min(from + SPAN, below) };
}

async function endOf(id: string, below: number, handle: JobHandle<unknown>): Promise<SettledJob> {
  try {
    const { values } = await handle.result;
    const primes = (values as number[]).reduce((sum, count) => sum + count, 0);
    return { id, below, state: "completed", primes };
  } catch (error) {
    const code = error instanceof TaskError ? { code: error.code } : {};
    return { id, below, state: handle.state, error: { ...code, message: (error as Error).message } };
  }
}
