import type { BrokenFile } from "../catalog/records.js";
import type { WalkTally } from "../files/walk.js";
import type { LabelCounts } from "../labels/label-run.js";

/** How much of each kind of work a run did. Every photo that was found is counted in exactly one of them. */
export interface RunCounts {
  /** Same size and time as last time: not even opened. */
  unchanged: number;
  /** Read and hashed, but the content was known: touched, moved, copied, or left over from a run that was stopped. */
  recognised: number;
  /** Decoded, shrunk and embedded. */
  described: number;
  /** No part of the index; each is listed by name. */
  broken: number;
}

/** Files of one content, or photos of one motif. */
export interface DuplicateTotals {
  readonly groups: number;
  /** Files beyond the first of each group. */
  readonly extraFiles: number;
}

/** What a run found and did: the summary for people and `--json` for machines are both made from it. */
export interface RunReport {
  readonly album: string;
  readonly index: string;
  readonly catalog: string;
  readonly indexJson: string;
  readonly contactSheet: string;
  readonly model: string;
  readonly elapsedMs: number;
  /** Time of the reading stage alone, and how many photos it described in a second. */
  readonly readingMs: number;
  readonly photosPerSecond: number;
  readonly photos: number;
  readonly distinctContents: number;
  readonly counts: Readonly<RunCounts>;
  /** Contents with labels; the file of the kept ones is `labels.cache` in the index folder. */
  readonly labels: Readonly<LabelCounts>;
  readonly passedOver: Readonly<WalkTally>;
  readonly exactDuplicates: DuplicateTotals & { readonly extraBytes: number };
  readonly nearDuplicates: DuplicateTotals;
  readonly broken: readonly BrokenFile[];
}
