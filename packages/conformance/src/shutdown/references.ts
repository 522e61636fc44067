/** References to the task modules beside this file: compiled, as threads load them. */
import { task } from "@threadmill/engine";
import { fixtureUrl } from "../fixtures/index.js";
import type hangingImportTask from "./hanging-import.js";
import type * as tasks from "./tasks.js";

const url = fixtureUrl("../shutdown/tasks.js");
export const hangingSetup = task<typeof tasks.hangingSetup>(url, "hangingSetup");
export const spinningSetup = task<typeof tasks.spinningSetup>(url, "spinningSetup");
export const hangingTeardown = task<typeof tasks.hangingTeardown>(url, "hangingTeardown");
export const spinningTeardown = task<typeof tasks.spinningTeardown>(url, "spinningTeardown");
export const inSystemCall = task<typeof tasks.inSystemCall>(url, "inSystemCall");
export const throwsAtAbort = task<typeof tasks.throwsAtAbort>(url, "throwsAtAbort");
export const deadly = task<typeof tasks.deadly>(url, "deadly");
export const failing = task<typeof tasks.failing>(url, "failing");
export const hangingImport = task<typeof hangingImportTask>(fixtureUrl("../shutdown/hanging-import.js"));
