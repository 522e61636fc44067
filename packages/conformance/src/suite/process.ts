/** The process around an engine: it ends by itself when there is nothing to do, and not before. */
import { describe, expect } from "vitest";
import { testWith } from "../assertions.js";
import { type Ended, program } from "../program.js";
import type { Subject } from "../subject.js";

export function processSuite(subject: Subject): void {
  const inProcess = (name: string, body: string, expected: Partial<Ended>): void =>
    testWith(subject, "childProcess", name, async () => {
      expect(await program(subject.engineOptions, body)).toMatchObject({ code: 0, signal: null, ...expected });
    });

  describe("the process", () => {
    inProcess("ends by itself while an engine is idle and open", "", { output: "" });
    inProcess(
      "ends by itself when the work of an open engine is done",
      `
      console.log(await engine.map(tasks.addOne, [1, 2]));`,
      { output: "[ 2, 3 ]" },
    );
    inProcess(
      "ends by itself after close, also when the engine was only made",
      `
      await engine.close(); console.log("closed");`,
      { output: "closed" },
    );
    inProcess(
      "is held by a job that nobody awaits",
      `
      engine.run(tasks.addOne, [1]).on("settle", ({ state }) => console.log(state));`,
      { output: "completed" },
    );
    inProcess(
      "is held by a job that a settle listener has started",
      `
      engine.run(tasks.addOne, [1]).on("settle", () => {
        engine.run(tasks.addOneLater, Array.from({ length: 5000 }, (_, at) => at)).on("settle", ({ state }) => console.log(state));
      });`,
      { output: "completed" },
    );
    inProcess(
      "is held by a paused job, until it is cancelled",
      `
      const handle = engine.run(tasks.addOne, [1, 2, 3]);
      await handle.pause();
      setTimeout(() => { console.log(handle.state); handle.cancel(); }, 50).unref();`,
      { output: "paused" },
    );
    inProcess(
      "is held by a job that waits for a retry",
      `
      engine.run(tasks.flaky, [{ value: 1, succeedsAt: 2 }], { retry: { attempts: 2, backoffMs: 60, jitter: 0 } })
        .on("settle", ({ state }) => console.log(state));`,
      { output: "completed" },
    );
    inProcess(
      "has no unhandled rejection from jobs that fail unseen",
      `
      engine.run(tasks.failOdd, [1]); engine.run(tasks.missingModule, [1]);
      engine.run(tasks.addOne, [1]).cancel();`,
      { output: "" },
    );
    inProcess(
      "ends with the code that process.exit asks for, in the middle of work",
      `
      const gate = new Gate();
      engine.run(tasks.gated, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      process.exit(13);`,
      { code: 13, output: "" },
    );
    inProcess(
      "ends when all jobs are cancelled, though handlers never come back",
      `
      const gate = new Gate();
      const handle = engine.run(tasks.endless, [{ value: 1, gate: gate.shared }]);
      handle.result.catch((reason) => console.log(reason));
      await gate.arrived();
      handle.cancel("enough");`,
      { output: "enough" },
    );
    inProcess(
      "ends by a signal: the first cancels and closes",
      `
      shutdownOnSignals(engine);
      const gate = new Gate();
      const handle = engine.run(tasks.gated, [{ value: 1, gate: gate.shared }]);
      handle.on("settle", ({ state }) => console.log(state));
      await gate.arrived();
      process.kill(process.pid, "SIGINT");`,
      { code: 130, output: "cancelled" },
    );
    inProcess(
      "ends by a second signal, though work goes on",
      `
      shutdownOnSignals(engine, { deadlineMs: 60000 });
      const gate = new Gate();
      engine.run(tasks.gated, [{ value: 1, gate: gate.shared }]);
      await gate.arrived();
      // Again and again, since one that follows the first at once may be its echo.
      setInterval(() => process.kill(process.pid, "SIGTERM"), 20);`,
      { code: null, signal: "SIGTERM" },
    );
  });
}
