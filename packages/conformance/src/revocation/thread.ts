/** A thread with the real runner in it, and no pool around it. */
import { type MessagePort, workerData } from "node:worker_threads";
import type { ThreadSetup } from "@threadmill/protocol";
import { startRunner } from "@threadmill/workers/runner";

/** What the main thread has to hand over. */
export type ThreadData = ThreadSetup<MessagePort>;

startRunner(workerData as ThreadData, { isOwnThread: true });
