import { describe, expect, it } from "vitest";
import { readArguments } from "../harness/arguments.js";

const known = ["tiny-items", "photos"];

describe("the command line", () => {
  it("takes names, and runs all without them", () => {
    expect(readArguments(["photos", "--quick"], known)).toMatchObject({ names: ["photos"], quick: true });
    expect(readArguments([], known)).toMatchObject({ names: [], quick: false, rounds: undefined });
  });

  it("refuses what it does not know", () => {
    expect(() => readArguments(["tiny"], known)).toThrow('no benchmark "tiny"');
    expect(() => readArguments(["--fast"], known)).toThrow("--fast");
    expect(() => readArguments(["--rounds", "0"], known)).toThrow("whole number above 0");
  });
});
