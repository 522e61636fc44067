/** What a trace holds of an engine's events, which are played here. */
import { describe, expect, it } from "vitest";
import type { EngineEvents } from "../src/index.js";
import { SafeEmitter } from "../src/safe-emitter.js";
import { type TraceEvent, startTrace } from "../src/trace.js";

/** An emitter that the test speaks through. */
class Stage extends SafeEmitter<EngineEvents> {
  say<Name extends keyof EngineEvents>(event: Name, ...args: Parameters<EngineEvents[Name]>): void {
    this.emit(event, ...(args as never));
  }
}

const batch = { jobId: "album", task: "resize", slot: 1, items: 32, elapsedMs: 2.5 };

/** Times are the clock's. */
function timeless(event: TraceEvent): TraceEvent {
  return { ...event, ts: 0 };
}

describe("a trace", () => {
  it("has a bar for each batch in the lane of its slot, ending when its answer came", () => {
    const engine = new Stage();
    const trace = startTrace(engine);
    const before = performance.now();
    engine.say("batch", batch);
    const after = performance.now();
    const { traceEvents } = trace.stop();
    const args = { jobId: "album", items: 32 };
    expect(traceEvents.map(timeless)).toEqual([
      { name: "thread_name", cat: "__metadata", ph: "M", ts: 0, pid: 1, tid: 1, args: { name: "slot 1" } },
      { name: "resize", cat: "batch", ph: "X", ts: 0, dur: 2_500, pid: 1, tid: 1, args },
    ]);
    const endMs = ((traceEvents[1] as TraceEvent).ts + 2_500) / 1_000;
    expect(endMs).toBeGreaterThanOrEqual(Math.floor(before));
    expect(endMs).toBeLessThanOrEqual(Math.ceil(after));
  });

  it("has both ends of a job, and what befalls threads", () => {
    const engine = new Stage();
    const trace = startTrace(engine);
    engine.say("job", { type: "submitted", jobId: "album", state: "waiting" });
    engine.say("job", { type: "started", jobId: "album", state: "running" });
    engine.say("thread", { type: "lost", slot: 0 });
    engine.say("job", { type: "settled", jobId: "album", state: "failed" });
    engine.say("job", { type: "stopped", jobId: "album", state: "failed" });
    expect(trace.stop().traceEvents.map(({ name, ph }) => [name, ph])).toEqual([
      ["thread_name", "M"],
      ["album", "b"],
      ["thread lost", "i"],
      ["album", "e"],
    ]);
  });

  it("hears nothing more once it is stopped, and can be read before", () => {
    const engine = new Stage();
    const trace = startTrace(engine);
    engine.say("batch", batch);
    expect(JSON.parse(JSON.stringify(trace))).toEqual(trace.toJSON());
    trace.stop();
    engine.say("batch", batch);
    expect(trace.toJSON().traceEvents).toHaveLength(2);
    expect(engine.listenerCount("batch")).toBe(0);
  });

  it("keeps the newest events, in order", () => {
    const engine = new Stage();
    const trace = startTrace(engine, { maxEvents: 3 });
    for (let items = 0; items < 8; items++) engine.say("batch", { ...batch, items });
    const kept = trace.stop().traceEvents.filter(({ ph }) => ph === "X");
    expect(kept.map(({ args }) => args?.["items"])).toEqual([5, 6, 7]);
  });

  it.each([0, -1, 1.5, Number.NaN, "10"])("refuses to keep %s events", (maxEvents) => {
    expect(() => startTrace(new Stage(), { maxEvents: maxEvents as number })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });
});
