/**
 * What Piscina loads in a thread: one function that starts the runner and returns. It imports nothing of the user's,
 * so it cannot fail to load; user modules are imported inside a batch, where a failure is an answer.
 */
import { threadId } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import type { ThreadSetup } from "@threadmill/protocol";
import { startRunner } from "./runner/index.js";

/** Answers the thread's id, so that the main thread can tell whether it is still the one that it asked. */
export default function openThread(setup: ThreadSetup<MessagePort>): number {
  startRunner(setup, { isOwnThread: true });
  return threadId;
}
