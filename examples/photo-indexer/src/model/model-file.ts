import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { readModel, type EmbedOptions } from "@threadmill/workers/embed";
import { IndexerError, messageOf, systemCode } from "../errors.js";
import { modelKey, type Model } from "./model.js";

/** What must be known about a model beside its file, from flags or from `<file>.json`; flags go before the file. */
export interface ModelSettings {
  /** Side of the square picture that the model is shown. Pixels, 1 to 512. Default 224. */
  readonly size?: number;
  readonly scale?: number;
  readonly mean?: number | readonly [number, number, number];
  readonly deviation?: number | readonly [number, number, number];
  readonly layout?: "NCHW" | "NHWC";
  readonly channelOrder?: "RGB" | "BGR";
  readonly inputName?: string;
  readonly outputName?: string;
  /** From this cosine on two pictures are near duplicates. Above 0, at most 1. Default 0.999. */
  readonly nearThreshold?: number;
}

/** A decode of 512 pixels feeds the model, so more could only be enlarged. */
const LARGEST_SIZE = 512;
const DEFAULT_SIZE = 224;
/**
 * On the careful side, since how alike unrelated pictures look differs from model to model. A small classifier
 * (SqueezeNet) put 13 of 95 unrelated photos into groups at 0.995, and none at 0.999.
 */
const DEFAULT_NEAR_THRESHOLD = 0.999;

/**
 * Reads another model than the default one, with its settings. Whether it is ONNX, and of that shape, the first thread
 * finds out before any photo is read.
 *
 * @throws {IndexerError} `MODEL_UNREADABLE`, `MODEL_UNUSABLE` (settings that make no sense).
 */
export async function loadModel(path: string, flags: ModelSettings): Promise<Model> {
  const settings = { ...(await readSidecar(`${path}.json`)), ...flags };
  const { size = DEFAULT_SIZE, nearThreshold = DEFAULT_NEAR_THRESHOLD, ...fed } = settings;
  checkRanges(path, size, nearThreshold);
  const bytes = await readModel(path).catch((error: unknown) => {
    throw new IndexerError("MODEL_UNREADABLE", `the model ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  });
  if (bytes.byteLength === 0) throw new IndexerError("MODEL_UNUSABLE", `the model ${path} is empty`);
  const embed: EmbedOptions = { ...fed, model: bytes, width: size, height: size, l2: true };
  return { name: basename(path), key: modelKey(bytes, embed), width: size, height: size, embed, nearThreshold };
}

const numberOrThree = (value: unknown): boolean =>
  typeof value === "number" ||
  (Array.isArray(value) && value.length === 3 && value.every((one) => typeof one === "number"));

const CHECKS: Readonly<Record<keyof ModelSettings, (value: unknown) => boolean>> = {
  size: (value) => typeof value === "number",
  scale: (value) => typeof value === "number",
  mean: numberOrThree,
  deviation: numberOrThree,
  layout: (value) => value === "NCHW" || value === "NHWC",
  channelOrder: (value) => value === "RGB" || value === "BGR",
  inputName: (value) => typeof value === "string",
  outputName: (value) => typeof value === "string",
  nearThreshold: (value) => typeof value === "number",
};

/** Settings beside the model; none if there is no such file. */
async function readSidecar(path: string): Promise<ModelSettings> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return {};
    throw new IndexerError("MODEL_UNREADABLE", `the settings ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const refuse = (reason: string): never => {
    throw new IndexerError("MODEL_UNUSABLE", `the settings ${path} ${reason}`);
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return refuse(`are not JSON: ${messageOf(error)}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return refuse("are not an object");
  for (const [name, value] of Object.entries(parsed)) {
    if (!Object.hasOwn(CHECKS, name))
      refuse(`have an unknown name ${JSON.stringify(name)}; known are ${Object.keys(CHECKS).join(", ")}`);
    if (!CHECKS[name as keyof ModelSettings](value)) refuse(`have a wrong value for ${name}: ${JSON.stringify(value)}`);
  }
  return parsed;
}

function checkRanges(path: string, size: number, nearThreshold: number): void {
  if (!Number.isSafeInteger(size) || size < 1 || size > LARGEST_SIZE) {
    throw new IndexerError(
      "MODEL_UNUSABLE",
      `the size for the model ${path} must be a whole number from 1 to ${LARGEST_SIZE}, not ${size}`,
    );
  }
  if (!(nearThreshold > 0 && nearThreshold <= 1)) {
    throw new IndexerError(
      "MODEL_UNUSABLE",
      `the near-duplicate threshold must be above 0 and at most 1, not ${nearThreshold}`,
    );
  }
}
