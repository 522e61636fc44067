/**
 * What a thread sends is not trusted: a task shares its thread with the runner, and can patch what the runner uses.
 * Here the form of a message is checked; whether it fits what was sent to the thread is for its reader to judge.
 */
import { ERROR_CODES } from "./errors.js";
import type { FromThread } from "./messages.js";
import { isNumberColumnName } from "./shared-columns.js";

/** The message, if it has the form of one; else undefined. Never throws. */
export function readFromThread(message: unknown): FromThread | undefined {
  return Array.isArray(message) && isWellFormed(message) ? (message as unknown as FromThread) : undefined;
}

function isWellFormed(message: readonly unknown[]): boolean {
  const [type, first, second, third, fourth, fifth, sixth] = message;
  switch (type) {
    case "done":
      return (
        isNumber(first) &&
        isCount(second) &&
        (third === undefined || isColumn(third, second)) &&
        areFailures(fourth, second) &&
        isTime(fifth) &&
        isTime(sixth)
      );
    case "spoilt":
      return isNumber(first) && isCode(second) && isRecord(third) && isTime(fourth);
    case "broken":
      return isNumber(first) && isCode(second) && isRecord(third);
    case "described":
      return (
        isCount(first) &&
        isCount(third) &&
        third > 0 &&
        isCount(fourth) &&
        (second === "columns" ? isNumberColumnName(fifth) : second === "item" || second === "batch")
      );
    case "detail":
      return isNumber(first);
    case "held":
      return Array.isArray(first) && areNumbers(first as readonly unknown[]);
    case "unreadable":
    case "closed":
      return true;
    default:
      return false;
  }
}

/** Of a batch: they wrap around, below zero too. */
function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Looked at one by one until one is none: a hole is, and a list may have four thousand million of them. */
function areNumbers(values: readonly unknown[]): boolean {
  for (const value of values) if (!isNumber(value)) return false;
  return true;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value < Infinity;
}

function isColumn(value: unknown, length: number): boolean {
  return (Array.isArray(value) || value instanceof Float64Array) && value.length === length;
}

function isCode(value: unknown): boolean {
  return typeof value === "string" && Object.hasOwn(ERROR_CODES, value);
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && typeof (value as { message?: unknown }).message === "string";
}

/** Each about a position of its own, among the first `claimed`. */
function areFailures(value: unknown, claimed: number): boolean {
  if (value === undefined) return true;
  if (!Array.isArray(value)) return false;
  const seen = new Set<number>();
  // Not `every`, which passes over holes.
  for (const failure of value as readonly unknown[]) {
    if (!Array.isArray(failure)) return false;
    const [position, code, record] = failure as readonly unknown[];
    if (!isCount(position) || position >= claimed || seen.has(position)) return false;
    seen.add(position);
    if (code !== "unrun" && !(isCode(code) && isRecord(record))) return false;
  }
  return true;
}
