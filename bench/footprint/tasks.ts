/** The least that a thread can do. */
import { threadId } from "node:worker_threads";
import { spin } from "../harness/spin.js";

/** Answers which thread it was; long enough that all threads get a share of many. */
export function whoAmI(iterations: number): number {
  spin(iterations);
  return threadId;
}
