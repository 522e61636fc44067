/** Stores for tests of the `cache` option, and the keys that go with them. */
import { range } from "../assertions.js";

export const byValue = String;
export const byItem = ({ value }: { readonly value: number }): string => String(value);

/** A store that has the answer of `addOne` for these. */
export function stored(values: readonly number[]): Map<string, number> {
  return new Map(values.map((value) => [byValue(value), value + 1]));
}

/** Even ones below `count` are there, odd ones are not. */
export function evenOnes(count: number): Map<string, number> {
  return stored(range(count).filter((value) => value % 2 === 0));
}

export const isFound = ({ index }: { readonly index: number }): boolean => index % 2 === 0;
