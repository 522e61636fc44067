import type { Effect } from "./effects.js";
import type { State } from "./state.js";

/** One step: the state it may change, the time, and the effects it asks for. */
export interface Turn {
  readonly state: State;
  readonly now: number;
  readonly out: Effect[];
}
