export { startRunner } from "./thread.js";
export type { RunnerOptions } from "./thread.js";
export type { Task } from "../define-task.js";
