/** What signals do to a process with engines. Whatever ends a process happens in one of its own. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CloseOptions, CloseReport } from "../../src/closing.js";
import type { Engine } from "../../src/engine.js";
import { type ShutdownOptions, shutdownOnSignals } from "../../src/shutdown.js";
import { program } from "./program.js";

describe("a process with an engine", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("ends by itself after %s, with the code that shells expect: %i", async (signal, code) => {
    const ended = await program(`
      const engine = createEngine({ threads: 1 });
      const { closed } = shutdownOnSignals(engine);
      await waiting(engine);
      process.kill(process.pid, "${signal}");
      console.log("closed after", await closed);
    `);
    expect(ended).toEqual({ code, signal: null, lines: ["job cancelled", `closed after ${signal}`] });
  });

  it("hears the signals that it names, and no others", async () => {
    const ended = await program(`
      const engine = createEngine({ threads: 1 });
      shutdownOnSignals(engine, { signals: ["SIGHUP"] });
      await waiting(engine);
      console.log(process.listenerCount("SIGINT"), process.listenerCount("SIGTERM"));
      process.kill(process.pid, "SIGHUP");
    `);
    expect(ended).toEqual({ code: 129, signal: null, lines: ["0 0", "job cancelled"] });
  });

  it("lets jobs end by the deadline, takes no more, and ends with the signal's code all the same", async () => {
    const ended = await program(`
      const engine = createEngine({ threads: 1 });
      shutdownOnSignals(engine, { deadlineMs: 60_000 });
      const job = await waiting(engine);
      await press("SIGINT");
      console.log(job.state);
      try { engine.run(waits, []); } catch ({ code }) { console.log(code); }
      job.cancel();
    `);
    expect(ended).toEqual({ code: 130, signal: null, lines: ["running", "ENGINE_CLOSED", "job cancelled"] });
  });

  it("ends at once by another signal after the first, whichever it is", async () => {
    const ended = await program(`
      let now = 0;
      performance.now = () => now;
      const engine = createEngine({ threads: 1 });
      shutdownOnSignals(engine, { deadlineMs: 60_000 });
      await waiting(engine);
      await press("SIGINT");
      now = 250;
      process.kill(process.pid, "SIGTERM");
    `);
    expect(ended).toEqual({ code: null, signal: "SIGTERM", lines: [] });
  });

  it("does not end by an echo of the first", async () => {
    const ended = await program(`
      let now = 0;
      performance.now = () => now;
      const engine = createEngine({ threads: 1 });
      shutdownOnSignals(engine, { deadlineMs: 60_000 });
      const job = await waiting(engine);
      await press("SIGINT");
      now = 249;
      await press("SIGINT");
      await press("SIGTERM");
      console.log(job.state);
      job.cancel();
    `);
    expect(ended).toEqual({ code: 130, signal: null, lines: ["running", "job cancelled"] });
  });

  it("closes all its engines at the first signal", async () => {
    const ended = await program(`
      const engines = [1, 2, 3].map(() => createEngine({ threads: 1 }));
      const all = engines.map((engine) => shutdownOnSignals(engine));
      for (const engine of engines) await waiting(engine);
      process.kill(process.pid, "SIGINT");
      console.log((await Promise.all(all.map(({ closed }) => closed))).join());
    `);
    const cancelled = ["job cancelled", "job cancelled", "job cancelled"];
    expect(ended).toEqual({ code: 130, signal: null, lines: [...cancelled, "SIGINT,SIGINT,SIGINT"] });
  });

  it("ends at once by a second signal, however many engines there are", async () => {
    const ended = await program(`
      let now = 0;
      performance.now = () => now;
      const engines = [1, 2, 3].map(() => createEngine({ threads: 1 }));
      for (const engine of engines) shutdownOnSignals(engine, { deadlineMs: 60_000 });
      for (const engine of engines) await waiting(engine);
      await press("SIGINT");
      now = 1_000;
      process.kill(process.pid, "SIGINT");
    `);
    expect(ended).toEqual({ code: null, signal: "SIGINT", lines: [] });
  });

  it("ends by the signal when there is nobody left to hear it", async () => {
    const ended = await program(`
      const engine = createEngine({ threads: 1 });
      const { dispose } = shutdownOnSignals(engine);
      await waiting(engine);
      dispose();
      dispose();
      console.log(process.listenerCount("SIGINT"), process.listenerCount("SIGTERM"));
      process.kill(process.pid, "SIGINT");
    `);
    expect(ended).toEqual({ code: null, signal: "SIGINT", lines: ["0 0"] });
  });

  it("goes on for the application's own listener, which hears every signal", async () => {
    const ended = await program(`
      let now = 0;
      performance.now = () => now;
      const engine = createEngine({ threads: 1 });
      let heard = 0;
      process.on("SIGINT", () => heard++);
      const hold = setInterval(() => undefined, 1_000);
      const { closed } = shutdownOnSignals(engine);
      await waiting(engine);
      await press("SIGINT");
      await closed;
      console.log("heard", heard);
      now = 1_000;
      await press("SIGINT");
      // Raised again by the engine's listener: it is the application's to end now.
      while (heard < 3) await new Promise((resolve) => setImmediate(resolve));
      console.log("heard", heard);
      clearInterval(hold);
    `);
    expect(ended).toEqual({ code: 130, signal: null, lines: ["job cancelled", "heard 1", "heard 3"] });
  });

  it("is ended by the signal itself when a thread had to be left in native code", async () => {
    const ended = await program(`
      const engine = { close: async () => ({ leftBehind: [0], cancelledJobs: [] }) };
      shutdownOnSignals(engine);
      setInterval(() => undefined, 1_000);
      process.kill(process.pid, "SIGTERM");
    `);
    expect(ended).toEqual({ code: null, signal: "SIGTERM", lines: [] });
  });
});

describe("the listeners", () => {
  const SIGNAL = "SIGUSR2";
  let now = 0;
  let exitCode: typeof process.exitCode;
  const kill = vi.fn<typeof process.kill>(() => true);

  beforeEach(() => {
    now = 1_000;
    exitCode = process.exitCode;
    kill.mockClear();
    vi.spyOn(process, "kill").mockImplementation(kill);
    vi.spyOn(performance, "now").mockImplementation(() => now);
  });

  afterEach(() => {
    process.removeAllListeners(SIGNAL);
    process.exitCode = exitCode;
    vi.restoreAllMocks();
  });

  function listen(options: ShutdownOptions = {}): {
    readonly closes: CloseOptions[];
    readonly end: (report?: CloseReport) => void;
    readonly shutdown: ReturnType<typeof shutdownOnSignals>;
  } {
    const closes: CloseOptions[] = [];
    let end: (report: CloseReport) => void = () => undefined;
    const report = new Promise<CloseReport>((resolve) => {
      end = resolve;
    });
    const engine = {
      close: (given: CloseOptions) => {
        closes.push(given);
        return report;
      },
    } as unknown as Engine;
    const shutdown = shutdownOnSignals(engine, { signals: [SIGNAL], ...options });
    return { closes, shutdown, end: (given = { leftBehind: [], cancelledJobs: [] }) => end(given) };
  }

  it("close once, with the deadline that was given, or none to wait for", () => {
    for (const [options, deadlineMs] of [
      [{}, 0],
      [{ deadlineMs: 7 }, 7],
    ] as const) {
      const { closes, shutdown } = listen(options);
      process.emit(SIGNAL, SIGNAL);
      process.emit(SIGNAL, SIGNAL);
      expect(closes).toEqual([{ deadlineMs }]);
      shutdown.dispose();
    }
    expect(kill).not.toHaveBeenCalled();
  });

  it("raise a signal again from a quarter of a second on, and are gone then", () => {
    const before = process.listenerCount(SIGNAL);
    listen();
    process.emit(SIGNAL, SIGNAL);
    now += 249.9;
    process.emit(SIGNAL, SIGNAL);
    expect(kill).not.toHaveBeenCalled();
    now += 0.1;
    process.emit(SIGNAL, SIGNAL);
    expect(kill.mock.calls).toEqual([[process.pid, SIGNAL]]);
    expect(process.listenerCount(SIGNAL)).toBe(before);
  });

  it("count the quarter of a second from the first signal, not from the last echo", () => {
    listen();
    process.emit(SIGNAL, SIGNAL);
    for (let echoes = 0; echoes < 3; echoes++) {
      now += 100;
      process.emit(SIGNAL, SIGNAL);
    }
    expect(kill).toHaveBeenCalledTimes(1);
  });

  it("stay after the close, so that a second signal still ends what holds the process", async () => {
    const { shutdown, end } = listen();
    process.emit(SIGNAL, SIGNAL);
    end();
    expect(await shutdown.closed).toBe(SIGNAL);
    expect(process.listenerCount(SIGNAL)).toBe(1);
    now += 1_000;
    process.emit(SIGNAL, SIGNAL);
    expect(kill).toHaveBeenCalledTimes(1);
  });

  it("do nothing any more once they are disposed of, in the middle of a close too", async () => {
    const { shutdown, end, closes } = listen();
    process.emit(SIGNAL, SIGNAL);
    shutdown.dispose();
    now += 1_000;
    expect(process.emit(SIGNAL, SIGNAL)).toBe(false);
    end();
    expect(await shutdown.closed).toBe(SIGNAL);
    expect(closes).toHaveLength(1);
    expect(kill).not.toHaveBeenCalled();
  });

  it("change the exit code with the first signal, and not before", () => {
    const { shutdown } = listen();
    expect(process.exitCode).toBe(exitCode);
    process.emit(SIGNAL, SIGNAL);
    expect(process.exitCode).toBeGreaterThanOrEqual(128);
    shutdown.dispose();
  });
});
