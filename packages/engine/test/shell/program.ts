/** Programs around an engine, each in a process of its own. */
import { spawn } from "node:child_process";

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it has printed, line by line. */
  readonly lines: readonly string[];
}

/** Only a process that hangs reaches it; it is killed then, and not left behind. */
const PATIENCE_MS = 25_000;

const INDEX = new URL("../../dist/index.js", import.meta.url).href;
/** A handler that waits until it is told to stop, and says so when it begins. */
const WAITS = `export default (begun, { signal }) => new Promise((_, reject) => {
  signal.addEventListener("abort", () => reject(signal.reason));
  Atomics.store(begun, 0, 1);
  Atomics.notify(begun, 0);
});`;

/**
 * Runs a program that has what the engine exports; `waiting(engine)`, a job whose handler waits for its end; and
 * `press(signal)`, which resolves when the signal has been heard by all.
 */
export function program(body: string): Promise<Ended> {
  const source = `
    import { createEngine, shutdownOnSignals, task } from ${JSON.stringify(INDEX)};
    process.on("unhandledRejection", (error) => { console.log("UNHANDLED", error?.message); });
    const waits = task(${JSON.stringify(`data:text/javascript,${encodeURIComponent(WAITS)}`)});
    async function waiting(engine) {
      const begun = new Int32Array(new SharedArrayBuffer(4));
      const job = engine.run(waits, [begun]);
      job.on("settle", ({ state }) => console.log("job", state));
      await Atomics.waitAsync(begun, 0, 0).value;
      return job;
    }
    function press(signal) {
      return new Promise((resolve) => {
        const hear = () => { process.off(signal, hear); setImmediate(resolve); };
        process.on(signal, hear);
        process.kill(process.pid, signal);
      });
    }
    ${body}
  `;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PATIENCE_MS,
      killSignal: "SIGKILL",
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, lines: output.split("\n").filter((line) => line !== "") });
    });
  });
}
