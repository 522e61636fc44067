export { startRunner } from "./thread.js";
export type { RunnerOptions } from "./thread.js";
export type { ColumnsTask, Task } from "../define-task.js";
export { Readiness } from "./readiness.js";
export type { ReadinessSteps, WaitingBatch } from "./readiness.js";
