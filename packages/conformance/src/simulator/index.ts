/** The simulator's door. */
export { Simulation } from "./simulation.js";
export type { SimulationOptions } from "./simulation.js";
export { JobView } from "./job-view.js";
export type { Call, Fate, SimulatedJobSpec, SimulatedTask } from "./spec.js";
export { REAL_SCHEDULER } from "./scheduler-under-test.js";
export type { SchedulerUnderTest } from "./scheduler-under-test.js";
export { createCounters, neverHappened } from "./sometimes.js";
export { Violation } from "./violation.js";
export { simulate } from "./simulate.js";
export { soakSimulator } from "./soak.js";
