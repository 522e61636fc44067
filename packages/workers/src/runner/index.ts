export { startRunner } from "./thread.js";
export type { RunnerOptions } from "./thread.js";
export type { ColumnsTask, Task } from "../define-task.js";
