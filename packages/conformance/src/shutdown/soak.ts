/** Many shutdowns of engines that are full of stubborn work, and by how much they passed their deadlines. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine } from "@threadmill/engine";
import { Random } from "../random.js";
import { shutDown } from "./shut-down.js";
import { type Stubborn, stubborn } from "./stubborn.js";

export interface ShutdownBudget {
  readonly seconds: number;
  readonly seed: number;
}

export interface ShutdownFigures {
  readonly shutdowns: number;
  /** How often each kind of work was there. */
  readonly works: Readonly<Record<string, number>>;
  /** How long after its deadline a `close` resolved. The promise is 1,000. */
  readonly overrunMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly leftBehind: number;
  /** What came to its end, but later than promised: on a machine without time for it, anything may. */
  readonly late: readonly string[];
  /** What did not. */
  readonly violations: readonly string[];
}

const PROMISED_MS = 1_000;

export async function soakShutdown({ seconds, seed }: ShutdownBudget): Promise<ShutdownFigures> {
  const random = new Random(seed);
  const folder = await mkdtemp(join(tmpdir(), "threadmill-shutdown-"));
  const until = performance.now() + seconds * 1_000;
  const works: Record<string, number> = {};
  const overruns: number[] = [];
  const late: string[] = [];
  const violations: string[] = [];
  let leftBehind = 0;
  try {
    for (let round = 0; performance.now() < until; round++) {
      const names = drawNames(random);
      for (const name of names) works[name] = (works[name] ?? 0) + 1;
      const rules = { graceMs: random.pick([50, 200, 1_000, 5_000]), deadlineMs: random.pick([0, 0, 20, 300]) };
      const what = `seed ${seed}, round ${round}: ${names.join(", ")} ${JSON.stringify(rules)}`;
      try {
        const { report, overrunMs } = await shutDown({
          ...rules,
          works: names.map((name) => stubborn[name] as Stubborn),
          createEngine,
          folder: await mkdtemp(join(folder, "round-")),
        });
        overruns.push(overrunMs);
        leftBehind += report.leftBehind.length;
        if (overrunMs > PROMISED_MS) late.push(`${what}: ${overrunMs.toFixed(0)} ms after the deadline`);
      } catch (error) {
        violations.push(`${what}: ${String(error)}`);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { shutdowns: overruns.length, works, overrunMs: quantiles(overruns), leftBehind, late, violations };
}

function drawNames(random: Random): string[] {
  const first = random.pick(Object.keys(stubborn));
  if (stubborn[first]?.isAlone === true) return [first];
  const others = Object.keys(stubborn).filter((name) => stubborn[name]?.isAlone !== true);
  return [first, ...Array.from({ length: random.below(3) }, () => random.pick(others))];
}

function quantiles(values: readonly number[]): ShutdownFigures["overrunMs"] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
