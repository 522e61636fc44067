/**
 * The scheduler's door: for the engine's shell, and, as `@threadmill/engine/internal/scheduler`, for the simulator that
 * drives it in place of the shell. Not for apps: it changes without notice.
 */
export { step } from "./step.js";
export type { Effect, JobFault } from "./effects.js";
export type { Cursors, PositionFault, SchedulerEvent, Sorting } from "./events.js";
export type { IndexRange } from "./ranges.js";
export { attemptsOf, createState, indexAt, lanesOf } from "./state.js";
export type { Batch, Job, JobRules, SchedulerOptions, Slot, State } from "./state.js";
