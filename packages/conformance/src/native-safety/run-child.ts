/** Runs one plan in a child process, and judges how it ended. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { fixtureUrl } from "../fixtures/index.js";
import type { Plan } from "./child.js";
import { type End, allowedEnds } from "./expectation.js";
import { drawPlan } from "./plan.js";

export interface ChildReport {
  readonly plan: Plan;
  readonly end: End;
  /** From the moment in which its ending began. */
  readonly endedAfterMs: number;
  /** Native calls under way when its ending began. */
  readonly callsAtEnd: number;
  /** What must not be, in words, with all that is needed to see it again. */
  readonly violations: readonly string[];
}

/** When a child counts as hanging: many times what the slowest plan takes on a slow machine. */
const PATIENCE_MS = 120_000;

/** A user who presses Ctrl-C once more. */
const REPEAT_MS = 100;

/** Compiled, since that is what every supported Node can run. */
const CHILD = fixtureUrl("../native-safety/child.js");

/** Runs what the seed draws. */
export function runSeed(seed: number): Promise<ChildReport> {
  return runChild(drawPlan(seed));
}

/** `allowed`: the ends that are right, where the plan itself allows more. */
export function runChild(plan: Plan, allowed: readonly End[] = allowedEnds(plan)): Promise<ChildReport> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(CHILD), JSON.stringify(plan)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const timers: NodeJS.Timeout[] = [];
    let output = "";
    let errors = "";
    let hangs = false;
    let endingAt = performance.now();
    timers.push(
      setTimeout(() => {
        hangs = true;
        child.kill("SIGKILL");
      }, PATIENCE_MS),
    );
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (text.includes("ready")) suspend();
      if (text.includes("ending")) {
        endingAt = performance.now();
        interrupt();
      }
    });

    function suspend(): void {
      if (plan.suspend === undefined) return;
      const { atMs, forMs } = plan.suspend;
      timers.push(setTimeout(() => child.kill("SIGSTOP"), atMs));
      timers.push(setTimeout(() => child.kill("SIGCONT"), atMs + forMs));
    }

    function interrupt(): void {
      if (plan.lateSignal === undefined) return;
      const { afterMs, signal } = plan.lateSignal;
      timers.push(
        setTimeout(() => {
          child.kill(signal);
          timers.push(setInterval(() => child.kill(signal), REPEAT_MS));
        }, afterMs),
      );
    }

    child.on("error", reject);
    child.on("close", (code, signal) => {
      for (const timer of timers) clearTimeout(timer);
      const end = signal ?? (code as number);
      const wrong: string[] = [];
      if (hangs) wrong.push(`had not ended after ${PATIENCE_MS} ms`);
      else if (!allowed.includes(end)) wrong.push(`ended with ${end} instead of ${allowed.join(" or ")}`);
      for (const line of output.split("\n")) if (/^(died|failed)/.test(line)) wrong.push(line);
      const endedAfterMs = performance.now() - endingAt;
      const told = `${output}${errors}`.trim().split("\n").join(" | ").slice(0, 600);
      resolve({
        plan,
        end,
        endedAfterMs,
        callsAtEnd: Number(/ending with (\d+)/.exec(output)?.[1] ?? 0),
        violations: wrong.map((what) =>
          [
            `seed ${plan.seed}: ${what}, ${Math.round(endedAfterMs)} ms after its ending had begun`,
            `it said: ${told}`,
            `plan: ${JSON.stringify(plan)}`,
          ].join("\n"),
        ),
      });
    });
  });
}
