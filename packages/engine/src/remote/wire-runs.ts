/** Outcomes as they are sent to a client: values by position, and sparse lists of what is not as usual. */
import type { Outcome } from "../jobs/outcome.js";
import type { WireRun } from "./messages.js";
import { pack } from "./packing.js";
import { toWireReason } from "./reasons.js";

/** What was delivered together lies together: a range of indices. */
export function toWireRun(outcomes: readonly Outcome<unknown>[]): WireRun {
  const failures: NonNullable<WireRun["failures"]>[number][] = [];
  const attempts: NonNullable<WireRun["attempts"]>[number][] = [];
  const values = outcomes.map((outcome) => {
    const { index, attempt } = outcome;
    if (outcome.status === "failed") {
      failures.push([index, attempt, toWireReason(outcome.error)]);
      return undefined;
    }
    if (attempt !== 1) attempts.push([index, attempt]);
    return outcome.value;
  });
  return {
    start: outcomes[0]?.index ?? 0,
    values: pack(values),
    ...(failures.length > 0 ? { failures } : {}),
    ...(attempts.length > 0 ? { attempts } : {}),
  };
}
