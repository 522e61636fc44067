/** How a child process may end: with what its plan asked for, and in no other way. */
import type { Plan, StopSignal } from "./plan.js";

/** An exit code, or the name of a signal. */
export type End = number | NodeJS.Signals;

const NUMBERS: Readonly<Record<StopSignal, number>> = { SIGINT: 2, SIGTERM: 15 };

/** All ends that the plan allows; more than one where the outcome hangs on which of two things comes first. */
export function allowedEnds({ ending, lateSignal, reExit }: Plan): readonly End[] {
  switch (ending.kind) {
    case "exit":
      return [reExit ?? ending.code, ...(lateSignal === undefined ? [] : [lateSignal.signal])];
    case "exitCode":
      return [ending.code];
    case "uncaught":
      return [1];
    case "signal":
      return [ending.signal];
    case "shutdown":
      // The signal itself where a thread had to be left in native code, or where it came again.
      return [128 + NUMBERS[ending.signal], ending.signal];
    case "cancelAll":
    case "complete":
    case "close":
      return [0];
  }
}
