/**
 * Lets threads leave native code before the process ends. `process.exit` in the middle of an inference aborts the
 * process instead of ending it (exit 134), and so does its natural end; with no thread in native code it ends with the
 * asked code.
 *
 * It waits longer than `graceMs` where native code takes longer. That costs nothing: without it, Node itself waits for
 * the thread, and the process is aborted when the native call has returned.
 */
import type { ControlBlock } from "@threadmill/protocol";

interface Guarded {
  readonly control: ControlBlock;
  readonly graceMs: number;
  readonly patienceMs: number;
}

/** A signal that comes within this time after the one that made the host exit is its echo. */
const ECHO_MS = 250;
/** How long native code may go on: a limit for what never returns. After that the process ends as it can. */
const PATIENCE_MS = 60_000;

const guarded = new Set<Guarded>();

function onExit(): void {
  const now = (): number => performance.now();
  const startedAt = now();
  const waitUntil = (isOver: (entry: Guarded) => number): boolean =>
    [...guarded].map((entry) => entry.control.condemnAll(isOver(entry) - now(), now)).every(Boolean);

  for (const { control } of guarded) control.stopAll();
  if (waitUntil(({ graceMs }) => startedAt + Math.min(graceMs, ECHO_MS))) return;
  restoreSignals();
  if (waitUntil(({ graceMs }) => startedAt + graceMs)) return;
  // Handlers that only wait for something are cut short; what computes in native code is waited for.
  for (const { control } of guarded) control.haltAll();
  waitUntil(({ graceMs, patienceMs }) => startedAt + Math.max(graceMs, patienceMs));
}

/** No listener can hear a signal any more, but it would keep a second Ctrl-C from ending the process. */
function restoreSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"] as const) process.removeAllListeners(signal);
}

/** Guards the exit until the function that it returns is called. One listener, however many engines. */
export function guardExit(control: ControlBlock, graceMs: number, patienceMs = PATIENCE_MS): () => void {
  // Before the host's own exit listeners, one of which may call `process.exit` again: no further one is called then.
  if (guarded.size === 0) process.prependListener("exit", onExit);
  const entry = { control, graceMs, patienceMs };
  guarded.add(entry);
  return () => {
    guarded.delete(entry);
    if (guarded.size === 0) process.off("exit", onExit);
  };
}
