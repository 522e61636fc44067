export { defineTask, isTask } from "./define-task.js";
export type {
  BatchDefinition,
  ColumnsDefinition,
  ColumnsTask,
  ItemDefinition,
  NumberColumnClass,
  Task,
  TaskDefinition,
} from "./define-task.js";
export type { BatchContext, ColumnsContext, ItemContext, TaskContext } from "./context.js";
export { FinalError } from "@threadmill/protocol";
