import { describe, expect, it } from "vitest";
import { readArguments } from "../../src/cli/arguments.js";
import { containing, matching } from "../helpers/text.js";

const refused = (message: string | RegExp): unknown =>
  expect.objectContaining({
    code: "USAGE",
    message: typeof message === "string" ? containing(message) : matching(message),
  });
function refusal(...words: string[]): unknown {
  try {
    return readArguments(words);
  } catch (error) {
    return error;
  }
}

describe("the command line", () => {
  it("indexes a folder, with or without the word index; and the sample album without a folder", () => {
    expect(readArguments(["photos"])).toMatchObject({ kind: "index", folder: "photos" });
    expect(readArguments(["index", "photos"])).toMatchObject({ kind: "index", folder: "photos" });
    expect(readArguments(["index"])).toMatchObject({ kind: "index", folder: undefined });
    expect(readArguments([])).toMatchObject({ kind: "index", folder: undefined });
    expect(readArguments(["./index"])).toMatchObject({ kind: "index", folder: "./index" });
  });

  it("searches the index of a folder for words", () => {
    const command = readArguments(["search", "photos", "red", "2024", "-o", "x"]);
    expect(command).toEqual({ kind: "search", folder: "photos", words: ["red", "2024"], out: "x", json: false });
    expect(refusal("search", "photos")).toEqual(refused("words to look for"));
    expect(refusal("search")).toEqual(refused("needs a folder"));
  });

  it("reads options before and behind the folder", () => {
    const command = readArguments(["--json", "photos", "-t", "3", "--out", "x", "--near", "0.95", "--retry-failed"]);
    expect(command).toMatchObject({
      kind: "index",
      folder: "photos",
      options: { json: true, threads: 3, out: "x", nearThreshold: 0.95, retryFailed: true, acceptVanished: false },
    });
  });

  it("reads how another model is fed", () => {
    const command = readArguments([
      "p",
      "-m",
      "x.onnx",
      "--model-size",
      "224",
      "--model-mean",
      "0.485,0.456,0.406",
      "--model-deviation",
      "0.2",
      "--model-layout",
      "nchw",
      "--model-input",
      "in",
    ]);
    expect(command).toMatchObject({
      options: {
        model: "x.onnx",
        modelSettings: { size: 224, mean: [0.485, 0.456, 0.406], deviation: 0.2, layout: "NCHW", inputName: "in" },
      },
    });
  });

  it("has commands for the album and the model alone, and for help", () => {
    expect(readArguments(["sample", "-q"])).toEqual({
      kind: "sample",
      folder: undefined,
      quiet: true,
      threads: undefined,
    });
    expect(readArguments(["model", "a.onnx"])).toEqual({ kind: "model", file: "a.onnx" });
    expect(readArguments(["x", "-h"])).toEqual({ kind: "help" });
  });

  it("refuses what it does not understand, by name", () => {
    expect(refusal("--no-such")).toEqual(refused("--no-such"));
    expect(refusal("a", "b")).toEqual(refused("one folder at a time"));
    expect(refusal("a", "--threads", "-1")).toEqual(refused(/--threads/));
    expect(refusal("a", "--threads=-1")).toEqual(refused("--threads must be a whole number"));
    expect(refusal("a", "--threads", "two")).toEqual(refused("not two"));
    expect(refusal("a", "--threads", "")).toEqual(refused("--threads"));
    expect(refusal("a", "--near", "1.5")).toEqual(refused("--near"));
    expect(refusal("a", "-m", "x", "--model-mean", "1,2")).toEqual(refused("--model-mean"));
    expect(refusal("a", "-m", "x", "--model-layout", "CHWN")).toEqual(refused("--model-layout"));
    expect(refusal("a", "--model-size", "64")).toEqual(refused("go with --model"));
    expect(refusal("a", "--near", "0")).toEqual(refused("--near must be above 0"));
    expect(refusal("model")).toEqual(refused("model needs a file"));
  });

  it("refuses empty words, which as paths would mean the working folder", () => {
    expect(refusal("a", "--out", "")).toEqual(refused("--out needs a value"));
    expect(refusal("sample", "")).toEqual(refused("a word is empty"));
    expect(refusal("search", "photos", "")).toEqual(refused("a word is empty"));
  });

  it("refuses options that have no meaning for a command, rather than to pass over them", () => {
    expect(refusal("sample", "--out", "x")).toEqual(refused("--out does not go with sample"));
    expect(refusal("model", "x.onnx", "--json")).toEqual(refused("--json does not go with model"));
    expect(refusal("search", "a", "b", "--threads", "2")).toEqual(refused("--threads does not go with search"));
  });
});
