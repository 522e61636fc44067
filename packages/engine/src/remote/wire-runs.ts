/** Outcomes as they are sent to a client: values by position, and sparse lists of what is not as usual. */
import type { JobResult, Outcome } from "../jobs/outcome.js";
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
    if (attempt > 1) attempts.push([index, attempt]);
    return outcome.value;
  });
  return {
    start: outcomes[0]?.index ?? 0,
    values: pack(values),
    ...(failures.length > 0 ? { failures } : {}),
    ...(attempts.length > 0 ? { attempts } : {}),
  };
}

/** Outcomes in one message, where they are cut for it. */
const PIECE = 4_096;

/** A whole result, in pieces. How many attempts its values took is not in it. */
export function* cutResult({ values, failures }: JobResult<unknown>): Iterable<WireRun> {
  for (let start = 0; start < values.length; start += PIECE) {
    const end = start + PIECE;
    const failed = failures.filter(({ index }) => index >= start && index < end);
    yield {
      start,
      values: pack(values.slice(start, end)),
      failures: failed.map(({ index, attempt, error }) => [index, attempt, toWireReason(error)]),
    };
  }
}
