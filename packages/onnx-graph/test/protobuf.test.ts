import { describe, expect, it } from "vitest";
import { bytesField, floatField, intField, message, packedIntsField, stringField } from "../src/protobuf.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("the protobuf writer", () => {
  // The examples of https://protobuf.dev/programming-guides/encoding/.
  it("writes integers in seven-bit groups, the lowest first", () => {
    expect(hex(intField(1, 150))).toBe("089601");
    expect(hex(intField(1, 0))).toBe("0800");
    expect(hex(intField(1, 2 ** 40))).toBe("08808080808020");
  });

  it("writes text and embedded messages with their length", () => {
    expect(hex(stringField(2, "testing"))).toBe("120774657374696e67");
    expect(hex(bytesField(3, intField(1, 150)))).toBe("1a03089601");
  });

  it("writes floats in four bytes, and packs repeated integers into one field", () => {
    expect(hex(floatField(1, 1.5))).toBe("0d0000c03f");
    expect(hex(packedIntsField(6, [3, 270, 86942]))).toBe("3206038e029ea705");
  });

  it("takes field numbers above 15, which need two bytes", () => {
    expect(hex(intField(20, 7))).toBe("a00107");
  });

  it("makes a message of its fields, one after the other", () => {
    expect(hex(message([intField(1, 1), intField(2, 2)]))).toBe("08011002");
  });

  it("refuses numbers that a varint cannot hold", () => {
    expect(() => intField(1, -1)).toThrow(RangeError);
    expect(() => intField(1, 1.5)).toThrow(RangeError);
  });
});
