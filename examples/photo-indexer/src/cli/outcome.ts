import { IndexerError, messageOf } from "../errors.js";
import { NothingReadableError } from "../index-album.js";
import type { SampleScore } from "../album/manifest.js";
import type { IndexedPhoto } from "../report/index-json.js";
import type { RunReport } from "../report/report.js";
import { Interruption } from "./interrupt.js";

/** How the command ended, as `--json` prints it: exactly one object, whatever happened. */
export type CommandOutcome =
  | (RunReport & { readonly status: "completed"; readonly sample?: SampleScore })
  | { readonly status: "found"; readonly photos: readonly IndexedPhoto[] }
  | { readonly status: "cancelled"; readonly reason: string; readonly kept: string }
  | {
      readonly status: "failed";
      readonly error: { readonly code: string; readonly message: string };
      readonly broken?: RunReport["broken"];
    };

/** What a cancel leaves behind, in words. */
const KEPT = "The published index is as it was; what was finished is kept for the next run.";

/** What an error, or a cancel, means for the caller: the exit code and the outcome. */
export function outcomeOfError(error: unknown): { readonly exitCode: number; readonly outcome: CommandOutcome } {
  if (error instanceof Interruption) {
    return { exitCode: error.exitCode, outcome: { status: "cancelled", reason: error.message, kept: KEPT } };
  }
  const code = error instanceof IndexerError ? error.code : "UNEXPECTED";
  const failed = { status: "failed", error: { code, message: messageOf(error) } } as const;
  const outcome = error instanceof NothingReadableError ? { ...failed, broken: error.broken } : failed;
  return { exitCode: code === "USAGE" ? 2 : 1, outcome };
}
