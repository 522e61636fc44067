/** Programs around an engine, each in a process of its own. */
import { spawn } from "node:child_process";
import type { EngineOptions } from "@threadmill/engine";
import { fixtureUrl } from "./fixtures/index.js";

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** Only a process that hangs reaches it; it is killed then, and not left behind. */
const PATIENCE_MS = 25_000;

/** Runs a program that has an `engine`, the fixtures as `tasks`, and `Gate`. */
export function program(options: EngineOptions, body: string): Promise<Ended> {
  const index = fixtureUrl("index.js").href;
  const source = `
    import { createEngine, shutdownOnSignals } from ${JSON.stringify(import.meta.resolve("@threadmill/engine"))};
    import * as tasks from ${JSON.stringify(index)};
    import { Gate } from ${JSON.stringify(new URL("../gate.js", index).href)};
    process.on("unhandledRejection", (error) => { console.log("UNHANDLED", error); process.exit(99); });
    const engine = createEngine(${JSON.stringify(options)});
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
    child.on("close", (code, signal) => resolve({ code, signal, output: output.trim() }));
  });
}
