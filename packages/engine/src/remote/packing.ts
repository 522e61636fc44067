/** Items and values in messages: packed as between threads, and what cannot be cloned taken out. */
import { type Column, packColumn } from "@threadmill/protocol";
import type { ItemsAnswer, WireItems } from "./messages.js";

/** As {@link packColumn}, for a message that may hold several and be posted later. */
export function pack(values: readonly unknown[]): Column {
  try {
    const column = packColumn(values);
    return column instanceof Float64Array ? column.slice() : column;
  } catch {
    // One of them cannot be read, nor be cloned. Which one is found out when they are posted.
    return values;
  }
}

/** For items some of which cannot be cloned: those left out, and where they were. */
function withoutUncloneable(items: Column): { items: unknown[]; uncloneable: number[] } {
  const uncloneable: number[] = [];
  const kept = Array.from(items, (item, at) => {
    try {
      structuredClone(item);
      return item;
    } catch {
      uncloneable.push(at);
      return undefined;
    }
  });
  return { items: kept, uncloneable };
}

/**
 * A message that could not be sent, without those of its items that cannot be cloned: the request for a job with its
 * items, or the answer to a request for items. Undefined if it is none of these.
 */
export function mendItems(message: object): object | undefined {
  const { argumentList, value: answer } = message as {
    argumentList?: { value: { items?: WireItems } }[];
    value?: { value?: ItemsAnswer };
  };
  const request = argumentList?.[0];
  if (argumentList?.length === 1 && request?.value.items?.kind === "list") {
    const items = { ...request.value.items, ...withoutUncloneable(request.value.items.items) };
    return { ...message, argumentList: [{ ...request, value: { ...request.value, items } }] };
  }
  if (answer?.value?.items === undefined) return undefined;
  return { ...message, value: { ...answer, value: { ...answer.value, ...withoutUncloneable(answer.value.items) } } };
}

/** The items with something in each empty place that the engine finds out about by itself, and says so by index. */
export function withUncloneable(items: Column, uncloneable: readonly number[] | undefined): unknown[] {
  const all: unknown[] = Array.from(items);
  for (const at of uncloneable ?? []) if (at in all) all[at] = Symbol("an item that cannot be cloned");
  return all;
}

/** What one message should cost to clone at the most: a few milliseconds on either side. */
const MAX_PIECE_BYTES = 1_048_576;
const OBJECT_BYTES = 128;

/** How many of the items make one message: at least one, however large it is. */
export function pieceOf(items: readonly unknown[], most: number): number {
  let bytes = 0;
  let count = 0;
  while (count < items.length && count < most) {
    bytes += sizeOfAny(items[count]);
    if (bytes > MAX_PIECE_BYTES && count > 0) break;
    count++;
  }
  return count;
}

/** Of one that cannot be read, because a getter throws, it does not matter: it will not travel. */
function sizeOfAny(item: unknown): number {
  try {
    return sizeOf(item, 2);
  } catch {
    return OBJECT_BYTES;
  }
}

/** Roughly, and seen from the top: what lies deep is seldom what is large. */
function sizeOf(value: unknown, depth: number): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (value instanceof ArrayBuffer) return value.byteLength;
  if (depth === 0) return OBJECT_BYTES;
  let bytes = OBJECT_BYTES;
  let seen = 0;
  for (const key in value) {
    bytes += sizeOf((value as Record<string, unknown>)[key], depth - 1);
    if (++seen === 16) break;
  }
  return bytes;
}
