/** What a client asks for, looked at before it is believed: the other side may be broken, or hostile. */
import { InvalidArgumentError, isNumberColumn } from "@threadmill/protocol";
import { FORWARDED_EVENTS, type ForwardedEvent, MAX_ITEMS, type RunRequest, type WireTaskOptions } from "./messages.js";

/** @throws {InvalidArgumentError} what no client of ours would send. The engine itself checks the options of the run. */
export function checkRunRequest(given: unknown): RunRequest {
  const request = fields(given, "the request");
  checkKey(request["key"]);
  checkTask(request["task"]);
  if (typeof request["id"] !== "string") refuse("id");
  checkItems(request["items"]);
  const options = fields(request["options"], "options");
  // Functions cannot have come, and what the client keeps to itself is not said twice.
  for (const name of ["id", "signal", "options", "ordered", "weigh", "maxInFlightBytes"]) {
    if (name in options) refuse(`options.${name}`);
  }
  if (request["taskOptions"] !== undefined) checkTaskOptions(request["taskOptions"]);
  if (![undefined, "as-ended", "ordered"].includes(request["loop"] as string | undefined)) refuse("loop");
  if (typeof request["isQuiet"] !== "boolean") refuse("isQuiet");
  if (!Array.isArray(request["listensTo"])) refuse("listensTo");
  for (const event of request["listensTo"] as unknown[]) checkEvent(event);
  return given as RunRequest;
}

export function checkKey(key: unknown): asserts key is number {
  if (!Number.isSafeInteger(key)) refuse("key");
}

export function checkTask(given: unknown): void {
  const { url, exportName } = fields(given, "task");
  if (typeof url !== "string" || typeof exportName !== "string") refuse("task");
}

export function checkTaskOptions(given: unknown): asserts given is WireTaskOptions {
  const { key } = fields(given, "taskOptions");
  if (typeof key !== "string" || key.length > 100) refuse("taskOptions.key");
}

export function checkEvent(event: unknown): asserts event is ForwardedEvent {
  if (!FORWARDED_EVENTS.includes(event as ForwardedEvent)) refuse("event");
}

/** The answer to a request for items, which must not grow beyond what was asked. */
export function checkItemsAnswer(given: unknown, max: number): void {
  const { items } = fields(given, "the answer");
  if (!isColumn(items) || items.length > max) refuse("items");
  checkPositions(given);
}

/** Bounded before anything is made of it: a few bytes can be an array of four thousand million holes. */
function checkItems(given: unknown): void {
  const { kind, items } = fields(given, "items");
  if (kind === "list") {
    if (!isColumn(items) || items.length > MAX_ITEMS) refuse("items");
    checkPositions(given);
  } else if (kind === "column") {
    if (!isNumberColumn(items)) refuse("items");
  } else if (kind !== "pulled") refuse("items.kind");
}

function checkPositions(given: unknown): void {
  const { uncloneable } = fields(given, "items");
  if (uncloneable === undefined) return;
  if (!Array.isArray(uncloneable) || uncloneable.length > MAX_ITEMS) refuse("uncloneable");
  if (!uncloneable.every((at) => Number.isSafeInteger(at))) refuse("uncloneable");
}

function isColumn(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || value instanceof Float64Array;
}

function fields(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null) refuse(what);
  return value as Record<string, unknown>;
}

function refuse(what: string): never {
  throw new InvalidArgumentError(`remote: ${what} is not what a client sends`);
}
