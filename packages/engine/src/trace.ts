/**
 * What an engine does, drawn over time: events in the format that Chrome's tracing and Perfetto read, with a lane for
 * each slot and a bar for each batch.
 */
import type { EngineEvents } from "./engine.js";
import { whole } from "./option-checks.js";
import type { SafeEmitter } from "./safe-emitter.js";

/** One event of the Trace Event Format; times are in microseconds of `performance.now()`. */
export interface TraceEvent {
  readonly name: string;
  readonly cat: "batch" | "job" | "thread" | "__metadata";
  /** `X`: a bar. `b` and `e`: the two ends of a job. `i`: a moment. `M`: the name of a lane. */
  readonly ph: "X" | "b" | "e" | "i" | "M";
  readonly ts: number;
  readonly dur?: number;
  readonly pid: 1;
  /** The slot. */
  readonly tid: number;
  readonly id?: string;
  readonly s?: "t";
  readonly args?: Readonly<Record<string, unknown>>;
}

export interface TraceOptions {
  /** The newest so many events are kept. Default 100,000. */
  readonly maxEvents?: number;
}

/** A recording that goes on until it is stopped. `JSON.stringify` makes the file of it, during or after. */
export interface Trace {
  /** Ends the recording, and answers what it holds. */
  stop(): { readonly traceEvents: readonly TraceEvent[] };
  toJSON(): { readonly traceEvents: readonly TraceEvent[] };
}

const DEFAULT_MAX_EVENTS = 100_000;

/** @throws {InvalidArgumentError} `maxEvents` is no whole number above 0. */
export function startTrace(
  engine: SafeEmitter<EngineEvents>,
  { maxEvents = DEFAULT_MAX_EVENTS }: TraceOptions = {},
): Trace {
  whole("trace: maxEvents", maxEvents, 1);
  const ring: TraceEvent[] = [];
  let next = 0;
  const slots = new Set<number>();
  const add = (event: Omit<TraceEvent, "pid">): void => {
    ring[next % maxEvents] = { ...event, pid: 1 };
    next++;
    slots.add(event.tid);
  };

  const onBatch: EngineEvents["batch"] = ({ jobId, task, slot, items, elapsedMs }) => {
    // Told when the answer is here. Where it began is taken from how long it took, as its thread has measured.
    const ts = microseconds(performance.now() - elapsedMs);
    add({ name: task, cat: "batch", ph: "X", ts, dur: microseconds(elapsedMs), tid: slot, args: { jobId, items } });
  };
  const onJob: EngineEvents["job"] = ({ type, jobId, state }) => {
    if (type !== "submitted" && type !== "stopped") return;
    const ts = microseconds(performance.now());
    const ph = type === "submitted" ? "b" : "e";
    add({ name: jobId, cat: "job", ph, ts, tid: 0, id: jobId, args: { state } });
  };
  const onThread: EngineEvents["thread"] = ({ type, slot }) => {
    add({ name: `thread ${type}`, cat: "thread", ph: "i", ts: microseconds(performance.now()), tid: slot, s: "t" });
  };
  engine.on("batch", onBatch);
  engine.on("job", onJob);
  engine.on("thread", onThread);

  const toJSON = (): { traceEvents: TraceEvent[] } => {
    const split = next % maxEvents;
    const events = next <= maxEvents ? ring : [...ring.slice(split), ...ring.slice(0, split)];
    const lanes = [...slots].map((slot): TraceEvent => {
      const args = { name: `slot ${slot}` };
      return { name: "thread_name", cat: "__metadata", ph: "M", ts: 0, pid: 1, tid: slot, args };
    });
    return { traceEvents: [...lanes, ...events] };
  };
  return {
    toJSON,
    stop: () => {
      engine.off("batch", onBatch);
      engine.off("job", onJob);
      engine.off("thread", onThread);
      return toJSON();
    },
  };
}

function microseconds(ms: number): number {
  return Math.round(ms * 1_000);
}
