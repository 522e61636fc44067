/**
 * Lets threads leave native code before the process ends. `process.exit` in the middle of an inference aborts the
 * process instead of ending it (exit 134); with all batches stopped and a short wait it ends with the asked code.
 */
import type { ControlBlock } from "@threadmill/protocol";

interface Guarded {
  readonly control: ControlBlock;
  readonly graceMs: number;
}

const guarded = new Set<Guarded>();

function onExit(): void {
  for (const { control } of guarded) control.stopAll();
  for (const { control, graceMs } of guarded) control.waitUntilNoneIsNative(graceMs, () => performance.now());
}

/** Guards the exit until the function that it returns is called. One listener, however many engines. */
export function guardExit(control: ControlBlock, graceMs: number): () => void {
  if (guarded.size === 0) process.on("exit", onExit);
  const entry = { control, graceMs };
  guarded.add(entry);
  return () => {
    guarded.delete(entry);
    if (guarded.size === 0) process.off("exit", onExit);
  };
}
