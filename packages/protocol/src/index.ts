export { TASK_BRAND } from "./brand.js";
export { ERROR_CODES, EngineClosedError, FinalError, InvalidArgumentError, JobIdConflictError, QueueFullError, TaskError, ThreadmillError } from "./errors.js";
export type { ErrorCode, TaskErrorDetails } from "./errors.js";
