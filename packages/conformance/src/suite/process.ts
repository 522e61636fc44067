/** The process around an engine: it ends by itself when there is nothing to do, and not before. */
import { spawn } from "node:child_process";
import { describe, expect } from "vitest";
import { testWith } from "../assertions.js";
import { fixtureUrl } from "../fixtures/index.js";
import type { Subject } from "../subject.js";

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** Runs a program that has an `engine`, the fixtures as `tasks`, and `Gate`. */
function program(subject: Subject, body: string): Promise<Ended> {
  const index = fixtureUrl("index.js").href;
  const source = `
    import { createEngine, shutdownOnSignals } from ${JSON.stringify(import.meta.resolve("@threadmill/engine"))};
    import * as tasks from ${JSON.stringify(index)};
    import { Gate } from ${JSON.stringify(new URL("../gate.js", index).href)};
    process.on("unhandledRejection", (error) => { console.log("UNHANDLED", error); process.exit(99); });
    const engine = createEngine(${JSON.stringify(subject.engineOptions)});
    ${body}
  `;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, output: output.trim() }));
  });
}

export function processSuite(subject: Subject): void {
  const inProcess = (name: string, body: string, expected: Partial<Ended>): void =>
    testWith(subject, "childProcess", name, async () => {
      expect(await program(subject, body)).toMatchObject({ code: 0, signal: null, ...expected });
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
