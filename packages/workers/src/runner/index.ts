export { startRunner } from "./thread.js";
export type { RunnerOptions } from "./thread.js";
export { packColumn } from "./answer.js";
