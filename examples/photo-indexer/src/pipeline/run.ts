import type { RunLog } from "../catalog/run-log.js";
import type { WalkTally } from "../files/walk.js";
import type { LabelCounts, Labelling } from "../labels/label-run.js";
import type { Model } from "../model/model.js";
import type { ProgressMeter } from "./progress-meter.js";
import type { RunCounts } from "../report/report.js";

/** What all phases of one run share. */
export interface Run extends Labelling {
  /** Real path of the album. */
  readonly root: string;
  readonly log: RunLog;
  readonly recipeId: number;
  readonly model: Model;
  readonly retryFailed: boolean;
  /**
   * The run's one cancel. It is made before the first phase and looked at by every one of them; no phase has a flag of
   * its own that it could clear.
   */
  readonly signal: AbortSignal;
  readonly counts: RunCounts;
  readonly labelCounts: LabelCounts;
  readonly tally: WalkTally;
  readonly meter: ProgressMeter;
}

/** Files done so far, whatever became of them. */
export function filesDone({ unchanged, recognised, described, broken }: RunCounts): number {
  return unchanged + recognised + described + broken;
}
