/** What a contestant's program calls: reads its settings from the command line and prints its figures. */
import { writeSync } from "node:fs";
import type { Figures, Settings } from "./benchmark.js";

/** Marks the line with the figures among whatever else a program or its threads print. */
export const REPORT_MARK = "threadmill-bench:";
export const SKIP_MARK = "threadmill-bench-skip:";

/** The settings of this run. Each is checked by {@link number} and its like where it is used. */
export function settings(): Settings {
  const given: unknown = JSON.parse(process.argv[2] ?? "{}");
  return given as Settings;
}

/**
 * Prints the figures and ends the process. Pools are not closed before: how long that takes is no figure here, and it is
 * one thing less that can hang (Poolifier 5.3.2: `destroy` did not settle in 5 of 25 runs).
 */
export function finish(figures: Figures): never {
  // A slope of too few samples is no figure.
  const known = Object.fromEntries(Object.entries(figures).filter(([, value]) => Number.isFinite(value)));
  writeSync(process.stdout.fd, `${REPORT_MARK}${JSON.stringify(known)}\n`);
  process.exit(0);
}

/** Says why this program cannot run on this machine, and ends the process. */
export function skip(why: string): never {
  writeSync(process.stdout.fd, `${SKIP_MARK}${why}\n`);
  process.exit(0);
}

/** A setting that must be there and a number. */
export function number(name: string): number {
  const value = settings()[name];
  if (typeof value !== "number") throw new Error(`setting ${name} must be a number, not ${String(value)}`);
  return value;
}

/** A setting that must be there and a string. */
export function text(name: string): string {
  const value = settings()[name];
  if (typeof value !== "string") throw new Error(`setting ${name} must be a string, not ${String(value)}`);
  return value;
}
