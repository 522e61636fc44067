/** A program around an engine in a process of its own, which its parent may stop, continue and kill. */
import { type ChildProcess, spawn } from "node:child_process";
import type { EngineOptions } from "@threadmill/engine";
import { fixtureUrl } from "../fixtures/index.js";
import type { Ended } from "../program.js";

/** Only a process that hangs reaches it; it is killed then, and not left behind. */
const PATIENCE_MS = 25_000;

export interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

/**
 * Starts a program that has `engine`, the fixtures as `tasks`, `items(count, make)` and `say(value)`. `onLine`: called with
 * each line that it writes.
 */
export function startChild(
  options: EngineOptions,
  body: string,
  onLine: (line: string, child: ChildProcess) => void = () => undefined,
): Child {
  const source = `
    import { createEngine } from ${JSON.stringify(import.meta.resolve("@threadmill/engine"))};
    import * as tasks from ${JSON.stringify(fixtureUrl("index.js").href)};
    import { Gate } from ${JSON.stringify(new URL("../gate.js", fixtureUrl("index.js")).href)};
    import { RunLog } from ${JSON.stringify(new URL("../run-log.js", fixtureUrl("index.js")).href)};
    const engine = createEngine(${JSON.stringify(options)});
    const log = new RunLog();
    const items = (count, make) => Array.from({ length: count }, (_, index) => ({ work: 1, index, ...make(index) }));
    const say = (value) => console.log(JSON.stringify(value));
    ${body}
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PATIENCE_MS,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    let output = "";
    let line = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const lines = (line + text).split("\n");
      line = lines.pop() ?? "";
      for (const one of lines) onLine(one, child);
    });
    // What V8 says before it aborts is of no interest, but the pipe must not fill up.
    child.stderr.resume();
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, output: output.trim() }));
  });
  return { process: child, ended };
}

/** A child that stops itself whenever it has said "stop", and is continued so much later. */
export async function runStopping(options: EngineOptions, body: string, stoppedMs: number): Promise<Ended> {
  const stop = `const stop = () => { console.log("stop"); process.kill(process.pid, "SIGSTOP"); };`;
  const timers = new Set<NodeJS.Timeout>();
  const { ended } = startChild(options, stop + body, (line, child) => {
    if (line !== "stop") return;
    // The clock has to go on while it stands still: there is no event for that.
    timers.add(setTimeout(() => child.kill("SIGCONT"), stoppedMs));
  });
  const end = await ended;
  for (const timer of timers) clearTimeout(timer);
  return end;
}

/** What it said at the end, as JSON. */
export function lastWord({ output }: Ended): unknown {
  const line = output.split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}
