export { createEngine } from "./engine.js";
export type { Engine, EngineEvents, EngineResults, EngineStats } from "./engine.js";
export type { CloseOptions, CloseReport } from "./closing.js";
export type { Trace, TraceEvent, TraceOptions } from "./trace.js";
export type { JobEvent } from "./jobs/registry.js";
export type { ThreadEvent } from "./threads.js";
export { shutdownOnSignals } from "./shutdown.js";
export type { Shutdown, ShutdownOptions } from "./shutdown.js";
export { task } from "./task.js";
export type {
  AnyTaskReference,
  ColumnsReference,
  ItemOf,
  OptionsOf,
  ReferenceTo,
  ResultOf,
  TaskReference,
} from "./task.js";
export type { EngineOptions, OnError, RetryOptions, RunOptions, RunOptionsWithCache } from "./options.js";
export type { JobEvents, JobHandle } from "./jobs/handle.js";
export type { JobState } from "./jobs/job.js";
export type { ItemFailure, JobResult, JobStats, Outcome } from "./jobs/outcome.js";
export type { ItemCache, ItemCacheOptions } from "./jobs/item-memo.js";
export type { Items } from "./jobs/source.js";
export type { Progress } from "./jobs/progress.js";
export type { SettledJob } from "./jobs/settled-jobs.js";
export {
  EngineClosedError,
  FinalError,
  InvalidArgumentError,
  JobIdConflictError,
  QueueFullError,
  TaskError,
  ThreadmillError,
} from "@threadmill/protocol";
export type { ErrorCode } from "@threadmill/protocol";
export { fingerprint } from "@threadmill/cache";
