/**
 * A program of its own, since it needs `--expose-gc` and a heap that nobody else fills: runs many jobs, or one of many
 * items with a slow reader, and prints how memory grew. See memory.ts.
 */
import { type Engine, type JobHandle, createEngine } from "@threadmill/engine";
import { doubled, scaled } from "./references.js";
import { slopeOf } from "./slope.js";

export interface MemoryPlan {
  readonly jobs: number;
  readonly items: number;
  /** A planted leak: every handle and every outcome is kept. */
  readonly keepsAll?: boolean;
}

export interface MemoryFigures {
  readonly jobs: { readonly count: number; readonly heapBytesEach: number; readonly rssBytesEach: number };
  /** What belonged to the last jobs and could not be collected after all of them had settled. */
  readonly alive: { readonly handles: number; readonly sources: number };
  readonly items: {
    readonly count: number;
    readonly heapBytesEach: number;
    readonly rssBytesEach: number;
    /** The most that were between source and reader at any moment. */
    readonly mostInFlight: number;
  };
}

/** Until then caches and records fill up, and code is compiled. */
const WARM_UP = 0.3;
const SAMPLES = 12;
const ITEMS = 20;
const JOBS_WATCHED = 200;

class Samples {
  readonly #at: number[] = [];
  readonly #heap: number[] = [];
  readonly #rss: number[] = [];

  async take(at: number): Promise<void> {
    await collectGarbage();
    const { heapUsed, external, rss } = process.memoryUsage();
    this.#at.push(at);
    this.#heap.push(heapUsed + external);
    this.#rss.push(rss);
  }

  /** Bytes that each job or item has left behind. */
  get slopes(): { heapBytesEach: number; rssBytesEach: number } {
    return { heapBytesEach: slopeOf(this.#at, this.#heap), rssBytesEach: slopeOf(this.#at, this.#rss) };
  }
}

/** What is held by a promise or a port only goes when the event loop has turned. */
async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    (globalThis.gc as () => void)();
  }
}

/** Whether the next sample is due: some, evenly spread, after the warm-up. */
function isDue(done: number, count: number): boolean {
  const every = Math.max(Math.floor((count * (1 - WARM_UP)) / SAMPLES), 1);
  return done >= count * WARM_UP && done % every === 0;
}

async function runJobs(engine: Engine, count: number): Promise<Pick<MemoryFigures, "jobs" | "alive">> {
  const samples = new Samples();
  const handles: WeakRef<object>[] = [];
  const sources: WeakRef<object>[] = [];
  const { signal } = new AbortController();
  // A function of its own, since a variable of this one would hold the last job.
  const runOne = async (job: number): Promise<void> => {
    const source = job % 4 === 3 ? failing(ITEMS) : numbers(ITEMS);
    const handle = startOne(engine, job, source, signal);
    if (job >= count - JOBS_WATCHED) {
      handles.push(new WeakRef(handle));
      sources.push(new WeakRef(source));
    }
    if (plan.keepsAll === true) kept.push(handle);
    await handle.result.catch(() => undefined);
  };
  for (let job = 0; job < count; job++) {
    await runOne(job);
    if (isDue(job, count)) await samples.take(job);
  }
  await engine.drain();
  await collectGarbage();
  return { jobs: { count, ...samples.slopes }, alive: { handles: countAlive(handles), sources: countAlive(sources) } };
}

function countAlive(watched: readonly WeakRef<object>[]): number {
  return watched.filter((one) => one.deref() !== undefined).length;
}

function* numbers(count: number): Generator<number> {
  for (let index = 0; index < count; index++) yield index;
}

/** Fails when the first items are on their way. */
async function* failing(count: number): AsyncGenerator<number> {
  yield* numbers(count);
  await new Promise((resolve) => setImmediate(resolve));
  throw new Error("the source is broken");
}

/** Of every kind, in turn: named, with a signal, with listeners, with options of its own, looked at, failed, cancelled. */
function startOne(
  engine: Engine,
  job: number,
  source: Iterable<number> | AsyncIterable<number>,
  signal: AbortSignal,
): JobHandle<number> {
  switch (job % 9) {
    case 0:
      return engine.run(doubled, source, { id: `named-${job}` });
    case 1:
      return engine.run(doubled, source, { signal });
    case 2: {
      const handle = engine.run(doubled, source);
      for (const event of ["start", "progress", "batch", "settle"] as const) handle.on(event, () => undefined);
      return handle;
    }
    case 3: {
      const handle = engine.run(doubled, source, { id: `observed-${job}` });
      engine.job(handle.id);
      return handle;
    }
    case 4:
      return engine.run(doubled, [...numbers(ITEMS), -1], { signal });
    case 5: {
      const handle = engine.run(doubled, source, { signal });
      handle.cancel();
      return handle;
    }
    case 6: {
      const handle = engine.run(doubled, source);
      handle.once("batch", () => handle.cancel(new Error("that is enough")));
      return handle;
    }
    case 7:
      return engine.run(scaled, source, { options: { factor: job } });
    default: {
      const controller = new AbortController();
      const handle = engine.run(doubled, source, { signal: controller.signal });
      handle.once("batch", () => controller.abort());
      return handle;
    }
  }
}

async function runItems(engine: Engine, count: number): Promise<MemoryFigures["items"]> {
  const samples = new Samples();
  let pulled = 0;
  let read = 0;
  let mostInFlight = 0;
  const source = function* (): Generator<number> {
    for (; pulled < count; pulled++) {
      mostInFlight = Math.max(mostInFlight, pulled + 1 - read);
      yield pulled;
    }
  };
  const sampleEvery = Math.floor((count * (1 - WARM_UP)) / SAMPLES);
  let nextSample = Math.floor(count * WARM_UP);
  for await (const outcomes of engine.run(doubled, source(), { collect: false }).batches()) {
    read += outcomes.length;
    if (plan.keepsAll === true) kept.push(outcomes);
    // Slower than the threads, which have to wait for it.
    await new Promise((resolve) => setTimeout(resolve, outcomes.length / 2_000));
    if (read < nextSample) continue;
    nextSample += sampleEvery;
    await samples.take(read);
  }
  return { count: read, ...samples.slopes, mostInFlight };
}

const kept: unknown[] = [];
const plan = JSON.parse(process.argv[2] ?? "{}") as MemoryPlan;
const engine = createEngine({ threads: 2 });
const ofJobs = await runJobs(engine, plan.jobs);
const figures: MemoryFigures = { ...ofJobs, items: await runItems(engine, plan.items) };
await engine.close();
process.stdout.write(JSON.stringify(figures));
