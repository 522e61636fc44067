/**
 * Just enough of the protobuf wire format to write a model file: three of its wire types, and no reading. A message
 * is the concatenation of its fields, each a tag (field number and wire type) before a value, so a writer needs no
 * schema. The rules are from https://protobuf.dev/programming-guides/encoding/.
 */

/** A message, or a part of one, as bytes. Concatenating the fields of a message gives the message. */
export type Encoded = Uint8Array;

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

const text = new TextEncoder();

/** Joins fields into a message. */
export function message(fields: readonly Encoded[]): Encoded {
  const out = new Uint8Array(fields.reduce((sum, field) => sum + field.length, 0));
  let at = 0;
  for (const field of fields) {
    out.set(field, at);
    at += field.length;
  }
  return out;
}

/** An integer field (int32, int64, enum, bool). Negative numbers are not needed here and are refused. */
export function intField(field: number, value: number): Encoded {
  return message([tag(field, WIRE_VARINT), varint(value)]);
}

/** A field of type `float`, in four bytes. */
export function floatField(field: number, value: number): Encoded {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return message([tag(field, WIRE_FIXED32), bytes]);
}

/** A field of bytes, or an embedded message: the two look the same on the wire. */
export function bytesField(field: number, value: Encoded): Encoded {
  return message([tag(field, WIRE_BYTES), varint(value.length), value]);
}

export function stringField(field: number, value: string): Encoded {
  return bytesField(field, text.encode(value));
}

/** `repeated int64`, packed: one field that holds all numbers. */
export function packedIntsField(field: number, values: readonly number[]): Encoded {
  return bytesField(field, message(values.map(varint)));
}

function tag(field: number, wireType: number): Encoded {
  return varint(field * 8 + wireType);
}

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
function varint(value: number): Encoded {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`a varint holds a whole number from 0, not ${String(value)}`);
  }
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
