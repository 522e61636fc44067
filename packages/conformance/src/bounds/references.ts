/** References to the task modules of this folder. */
import { task } from "@threadmill/engine";
import type * as badErrors from "./bad-errors.js";
import { compiled } from "./compiled.js";
import type * as tasks from "./tasks.js";

const tasksUrl = compiled("tasks.js");
export const doubled = task<typeof tasks.doubled>(tasksUrl, "doubled");
export const scaled = task<typeof tasks.scaled>(tasksUrl, "scaled");
export const slow = task<typeof tasks.slow>(tasksUrl, "slow");
export const talkative = task<typeof tasks.talkative>(tasksUrl, "talkative");
export const text = task<typeof tasks.text>(tasksUrl, "text");
export const hugeFunction = task<typeof tasks.hugeFunction>(tasksUrl, "hugeFunction");

const badErrorsUrl = compiled("bad-errors.js");
export const throwsBadly = task<typeof badErrors.throwsBadly>(badErrorsUrl, "throwsBadly");
export const rejectsBadly = task<typeof badErrors.rejectsBadly>(badErrorsUrl, "rejectsBadly");
export const failsBadly = task<typeof badErrors.failsBadly>(badErrorsUrl, "failsBadly");
export const setsUpBadly = task<typeof badErrors.setsUpBadly>(badErrorsUrl, "setsUpBadly");
