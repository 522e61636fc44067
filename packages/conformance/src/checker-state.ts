/** What the checker knows of handles and their loops while it reads a history. */
import type { Entry, Rules } from "./history.js";

type Of<Type extends Entry["type"]> = Extract<Entry, { type: Type }>;
export type Settled = "completed" | "failed" | "cancelled";

export interface HandleState {
  readonly name: string;
  readonly job: string;
  /** The work that it looks at: another's for a handle that joined. Undefined for one that was aborted before. */
  readonly work: number | undefined;
  readonly rules: Rules | undefined;
  readonly isCached: boolean;
  cancelledAt: number | undefined;
  settledAt: number | undefined;
  state: Settled | undefined;
  code: string | undefined;
  result: Of<"result"> | undefined;
  hasBatch: boolean;
  progress: { completed: number; failed: number };
  readonly loops: Set<number>;
}

export interface LoopState {
  readonly ordered: boolean;
  readonly indices: number[];
  readonly seen: Set<number>;
  end: Of<"loop-end">["how"] | undefined;
  /** The last answer that brought outcomes. */
  turn: number;
  /** An answer that it may have been given before a cancel, and takes up after it. */
  lateTurn: number | undefined;
}

export function newHandle(init: Pick<HandleState, "name" | "job" | "work" | "rules" | "isCached">): HandleState {
  return {
    ...init,
    cancelledAt: undefined,
    settledAt: undefined,
    state: undefined,
    code: undefined,
    result: undefined,
    hasBatch: false,
    progress: { completed: 0, failed: 0 },
    loops: new Set(),
  };
}

export function newLoop(ordered: boolean): LoopState {
  return { ordered, indices: [], seen: new Set(), end: undefined, turn: 0, lateTurn: undefined };
}
