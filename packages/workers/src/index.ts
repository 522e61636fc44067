export { defineTask, isTask } from "./define-task.js";
export type { BatchDefinition, ItemDefinition, Task, TaskDefinition } from "./define-task.js";
export type { BatchContext, ItemContext, TaskContext } from "./context.js";
export { FinalError } from "@threadmill/protocol";
