export { testEngine } from "./suite.js";
export type { Subject } from "./subject.js";
