/** What is done among healthy jobs, and how it must end. */
import type { ErrorCode } from "@threadmill/engine";
import type { Deed, SetupDeed, TeardownDeed } from "../fixtures/chaotic.js";

/** Some items of a job misbehave. */
export interface Misdeed {
  readonly deed: Deed;
  /** Each item that does it ends in one of these ways. */
  readonly ends: readonly ("completed" | ErrorCode)[];
  /** Bound of one call, in milliseconds; without one a deed that never ends has its job cancelled. */
  readonly timeoutMs?: number;
  /** How many items do it; default 3. */
  readonly times?: number;
  /** Threads that one item may cost. */
  readonly threads: number;
}

const TIMEOUT_MS = 80;

/** Killed once in company, and twice alone. */
const KILLS = 3;
/** Held once in company, or for each time that a batch of 16 is halved; and once alone. */
const OVERDUE = 5;

export const misdeeds: readonly Misdeed[] = [
  { deed: "spins", ends: ["TASK_TIMEOUT"], timeoutMs: TIMEOUT_MS, times: 1, threads: OVERDUE },
  { deed: "sleeps", ends: ["TASK_TIMEOUT"], timeoutMs: TIMEOUT_MS, times: 1, threads: OVERDUE },
  { deed: "awaits", ends: ["TASK_TIMEOUT"], timeoutMs: TIMEOUT_MS, threads: 0 },
  { deed: "spinsAtExit", ends: ["TASK_TIMEOUT"], timeoutMs: TIMEOUT_MS, times: 1, threads: OVERDUE },
  { deed: "exits", ends: ["THREAD_LOST"], threads: KILLS },
  { deed: "exitsWell", ends: ["THREAD_LOST"], threads: KILLS },
  { deed: "throwsInTimer", ends: ["THREAD_LOST"], threads: KILLS },
  { deed: "rejectsUnheard", ends: ["THREAD_LOST"], threads: KILLS },
  // Whether its answer was there before its thread died is a matter of chance.
  { deed: "throwsAfterReturn", ends: ["completed", "THREAD_LOST"], times: 1, threads: KILLS },
  { deed: "rejectsAfterReturn", ends: ["completed", "THREAD_LOST"], times: 1, threads: KILLS },
  // Memory is exhausted in a process of its own: whether V8 contains it is not for sure, even from many small arrays.
  { deed: "returnsFunction", ends: ["NOT_CLONEABLE"], threads: 0 },
  { deed: "returnsSymbol", ends: ["NOT_CLONEABLE"], threads: 0 },
  { deed: "returnsPromises", ends: ["NOT_CLONEABLE"], threads: 0 },
  { deed: "returnsProxy", ends: ["NOT_CLONEABLE"], threads: 0 },
  // Some versions of Node can write it or read it, and some cannot.
  { deed: "returnsDeep", ends: ["completed", "NOT_CLONEABLE"], threads: 0 },
  { deed: "returnsHuge", ends: ["completed"], threads: 0 },
  { deed: "postsAfterReturn", ends: ["completed"], threads: 0 },
  { deed: "postsGarbage", ends: ["completed"], threads: 0 },
  { deed: "listensToAll", ends: ["completed"], threads: 0 },
];

/** Deeds that never end by themselves: their jobs are cancelled while they are at it. */
export const endless = ["spins", "sleeps", "awaits", "spinsAtExit"] as const satisfies readonly Deed[];

/** A setup that misbehaves takes its job with it. `cancelled`: it has to be cancelled. */
export const setupMisdeeds: readonly { readonly deed: SetupDeed; readonly ends: ErrorCode | "cancelled" }[] = [
  { deed: "hangs", ends: "cancelled" },
  { deed: "spins", ends: "cancelled" },
  { deed: "throws", ends: "SETUP_FAILED" },
  { deed: "exits", ends: "THREAD_LOST" },
];

export const teardownMisdeeds = ["hangs", "spins", "throws", "exits"] as const satisfies readonly TeardownDeed[];

/** Native work under way at a cancel: for less than the grace, and for longer. */
export const nativeCalls = [
  ["sharp", 40],
  ["onnx", 40],
  ["onnx", 600],
] as const;
