/** What options are checked by. Each check names the option, what it must be, and what it got. */
import { inspect } from "node:util";
import { InvalidArgumentError } from "@threadmill/protocol";

/** No timer of Node waits for longer. */
export const MAX_TIMER_MS = 2_147_483_647;

export function object(name: string, value: unknown, remedy = ""): asserts value is object {
  if (typeof value !== "object" || value === null) {
    throw new InvalidArgumentError(`${name} must be an object, not ${show(value)}${remedy}`);
  }
}

/** A misspelt option that is silently ignored costs an evening. */
export function refuseUnknown(where: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      throw new InvalidArgumentError(`${where}: unknown option ${JSON.stringify(name)}; known are ${known.join(", ")}`);
    }
  }
}

export function whole(name: string, value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    const bounds = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`${name} must be a whole number ${bounds}, not ${show(value)}`);
  }
}

export function range(name: string, value: unknown, least: number, most: number): void {
  if (typeof value !== "number" || !(value >= least && value <= most)) {
    const bounds = most === Infinity ? `from ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`${name} must be a number ${bounds}, not ${show(value)}`);
  }
}

export function positive(name: string, value: unknown, most = Number.MAX_VALUE): void {
  if (typeof value !== "number" || !(value > 0 && value <= most)) {
    const bounds = most === Number.MAX_VALUE ? "above 0" : `above 0 and at most ${most}`;
    throw new InvalidArgumentError(`${name} must be a number ${bounds}, not ${show(value)}`);
  }
}

/** In a line of its own, so that `"5"` is told from `5`. */
function show(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 100, maxArrayLength: 10 });
}
