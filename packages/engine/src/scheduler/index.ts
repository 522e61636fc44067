export { step } from "./step.js";
export type { Effect, JobFault } from "./effects.js";
export type { Cursors, PositionFault, SchedulerEvent } from "./events.js";
export { attemptsOf, createState, indexAt, lanesOf } from "./state.js";
export type { Batch, JobRules, SchedulerOptions, Slot, State } from "./state.js";
