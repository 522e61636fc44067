/** The engine's events for tools that have no engine in hand: three channels of `node:diagnostics_channel`. */
import { channel } from "node:diagnostics_channel";

export const jobChannel = channel("threadmill:job");
export const batchChannel = channel("threadmill:batch");
export const threadChannel = channel("threadmill:thread");
