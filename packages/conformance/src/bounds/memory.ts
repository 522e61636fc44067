/** Whether memory stays flat: over many jobs, and over one job of many items that is read slowly. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { compiled } from "./compiled.js";
import type { MemoryFigures, MemoryPlan } from "./memory-program.js";

/** The full size is 10,000 jobs and 10 million items. */
export async function soakMemory(plan: MemoryPlan): Promise<MemoryFigures> {
  const program = fileURLToPath(compiled("memory-program.js"));
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", program, JSON.stringify(plan)]);
  return JSON.parse(stdout) as MemoryFigures;
}
