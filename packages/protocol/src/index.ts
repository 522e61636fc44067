export { TASK_BRAND } from "./brand.js";
export { ControlBlock, ControlRow, STOPPED, ThreadState } from "./control-block.js";
export type { HandlerNature } from "./control-block.js";
export { fromErrorRecord, toErrorRecord } from "./error-record.js";
export type { ErrorRecord } from "./error-record.js";
export {
  ERROR_CODES,
  EngineClosedError,
  FinalError,
  InvalidArgumentError,
  JobIdConflictError,
  QueueFullError,
  TaskError,
  ThreadmillError,
} from "./errors.js";
export type { ErrorCode, TaskErrorDetails } from "./errors.js";
export { MIN_BLOCK, cutViews, packColumn } from "./column.js";
export { createSharedColumn, isNumberColumn, isNumberColumnName, toSharedColumn } from "./shared-columns.js";
export type { NumberColumnName } from "./shared-columns.js";
export { cutView } from "./views.js";
export { readFromThread } from "./read-from-thread.js";
export { PROTOCOL_VERSION, assertNever } from "./messages.js";
export type {
  BatchIndices,
  BrokenMessage,
  BatchMessage,
  Column,
  DescribedMessage,
  DoneMessage,
  FromThread,
  NumberColumn,
  PositionFailure,
  SharedColumns,
  SpoiltMessage,
  TaskKind,
  ThreadSetup,
  ToThread,
} from "./messages.js";
