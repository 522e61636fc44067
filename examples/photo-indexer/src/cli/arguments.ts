import { parseArgs } from "node:util";
import { IndexerError, messageOf } from "../errors.js";
import type { SearchArguments } from "./search.js";
import type { ModelSettings } from "../model/model-file.js";

/** What the command line asks for. */
export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "index"; readonly folder: string | undefined; readonly options: IndexArguments }
  | ({ readonly kind: "search" } & SearchArguments)
  | ({ readonly kind: "sample"; readonly folder: string | undefined } & SampleArguments)
  | { readonly kind: "model"; readonly file: string };

export interface SampleArguments {
  readonly quiet: boolean;
  readonly threads: number | undefined;
}

export interface IndexArguments {
  readonly out: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly threads: number | undefined;
  readonly model: string | undefined;
  readonly modelSettings: ModelSettings;
  readonly nearThreshold: number | undefined;
  readonly retryFailed: boolean;
  readonly acceptVanished: boolean;
}

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  out: { type: "string", short: "o" },
  json: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  threads: { type: "string", short: "t" },
  near: { type: "string" },
  "retry-failed": { type: "boolean" },
  "accept-vanished": { type: "boolean" },
  model: { type: "string", short: "m" },
  "model-size": { type: "string" },
  "model-scale": { type: "string" },
  "model-mean": { type: "string" },
  "model-deviation": { type: "string" },
  "model-layout": { type: "string" },
  "model-channels": { type: "string" },
  "model-input": { type: "string" },
  "model-output": { type: "string" },
} as const;

/** The commands, with the options that go with each. */
const COMMANDS = {
  index: Object.keys(OPTIONS),
  search: ["out", "json"],
  sample: ["quiet", "threads"],
  model: [],
} as const;

function isCommand(word: string | undefined): word is keyof typeof COMMANDS {
  return word !== undefined && Object.hasOwn(COMMANDS, word);
}

/** Reads the words behind the program's name. @throws {IndexerError} `USAGE`. */
export function readArguments(words: readonly string[]): Command {
  const { values, positionals } = parse(words);
  if (values.help === true) return { kind: "help" };
  // What a script makes of a variable that is not set: as a path it would mean the working folder.
  if (positionals.includes("")) fail("a word is empty");
  for (const [name, value] of Object.entries(values)) if (value === "") fail(`--${name} needs a value`);
  const [first, ...others] = positionals;
  // `photo-indexer ~/Pictures` is what one types first; a folder called "index" is reached as ./index.
  const command = isCommand(first) ? first : undefined;
  const fitting: readonly string[] = COMMANDS[command ?? "index"];
  const unfit = Object.keys(values).find((name) => !fitting.includes(name));
  if (unfit !== undefined) fail(`--${unfit} does not go with ${command}`);
  if (command === "search") {
    const [folder, ...wanted] = others;
    if (folder === undefined || wanted.length === 0) fail("search needs a folder, and words to look for");
    return { kind: "search", folder, words: wanted, out: values.out, json: values.json ?? false };
  }
  const [operand, ...excess] = command === undefined ? positionals : others;
  if (excess.length > 0) throw usage(`one folder at a time, not ${positionals.length}: ${excess.join(" ")}`);
  const threads = values.threads === undefined ? undefined : number("--threads", values.threads, 0, 512, true);
  if (command === "sample") return { kind: "sample", folder: operand, quiet: values.quiet ?? false, threads };
  if (command === "model")
    return operand === undefined ? fail("model needs a file to write") : { kind: "model", file: operand };
  const near = values.near === undefined ? undefined : number("--near", values.near, 0, 1, false);
  // All pairs of all photos would be alike.
  if (near === 0) fail("--near must be above 0");
  return {
    kind: "index",
    folder: operand,
    options: {
      out: values.out,
      json: values.json ?? false,
      quiet: values.quiet ?? false,
      threads,
      model: values.model,
      modelSettings: modelSettings(values),
      nearThreshold: near,
      retryFailed: values["retry-failed"] ?? false,
      acceptVanished: values["accept-vanished"] ?? false,
    },
  };
}

type Values = ReturnType<typeof parse>["values"];

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    throw usage(messageOf(error), error);
  }
}

function modelSettings(values: Values): ModelSettings {
  const settings: Record<string, unknown> = {
    size: optional(values["model-size"], (text) => number("--model-size", text, 1, 512, true)),
    scale: optional(values["model-scale"], (text) => number("--model-scale", text, -1e6, 1e6, false)),
    mean: optional(values["model-mean"], (text) => perChannel("--model-mean", text)),
    deviation: optional(values["model-deviation"], (text) => perChannel("--model-deviation", text)),
    layout: optional(values["model-layout"], (text) => oneOf("--model-layout", text, ["NCHW", "NHWC"])),
    channelOrder: optional(values["model-channels"], (text) => oneOf("--model-channels", text, ["RGB", "BGR"])),
    inputName: values["model-input"],
    outputName: values["model-output"],
  };
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  if (given.length > 0 && values.model === undefined) fail("the --model-… options go with --model");
  return Object.fromEntries(given);
}

function optional<Value>(text: string | undefined, read: (text: string) => Value): Value | undefined {
  return text === undefined ? undefined : read(text);
}

function number(name: string, text: string, least: number, most: number, whole: boolean): number {
  const value = Number(text);
  const fits = text.trim() !== "" && value >= least && value <= most && (!whole || Number.isSafeInteger(value));
  return fits ? value : fail(`${name} must be a ${whole ? "whole " : ""}number from ${least} to ${most}, not ${text}`);
}

function perChannel(name: string, text: string): number | [number, number, number] {
  const values = text.split(",").map((part) => number(name, part, -1e6, 1e6, false));
  const [red, green, blue, ...excess] = values;
  if (red !== undefined && green === undefined) return red;
  if (red === undefined || green === undefined || blue === undefined || excess.length > 0) {
    return fail(`${name} takes one number, or three with commas, not ${text}`);
  }
  return [red, green, blue];
}

function oneOf<Value extends string>(name: string, text: string, values: readonly Value[]): Value {
  return (
    values.find((value) => value === text.toUpperCase()) ?? fail(`${name} must be ${values.join(" or ")}, not ${text}`)
  );
}

function fail(message: string): never {
  throw usage(message);
}

function usage(message: string, cause?: unknown): IndexerError {
  return new IndexerError("USAGE", message, cause === undefined ? undefined : { cause });
}
