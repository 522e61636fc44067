/** Opens an ONNX model and checks, before the first image, that it takes and gives what the task was told. */
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { InvalidArgumentError } from "@threadmill/protocol";
import type * as Ort from "onnxruntime-node";
import { float16Tensor, fromFloat16 } from "./float16.js";
import type { InputArray, InputType } from "./pixel-layout.js";

/** Where a model is: a path, a file URL as text, or the bytes of its file. */
export type ModelSource = string | Uint8Array | SharedArrayBuffer;

export interface ModelRequest {
  readonly model: ModelSource;
  readonly inputName: string | undefined;
  readonly outputName: string | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly layout: "NCHW" | "NHWC" | undefined;
  readonly dtype: InputType | undefined;
}

/** An open model, and what it said about itself. */
export interface ModelSession {
  readonly width: number;
  readonly height: number;
  readonly layout: "NCHW" | "NHWC";
  readonly dtype: InputType;
  /** Images in each run where the model fixes it; undefined where it takes any number. */
  readonly fixedBatch: number | undefined;
  /** Runs the model on `count` images; the numbers of all answers, one after the other. */
  run(input: InputArray, count: number): Promise<Float32Array>;
  release(): Promise<void>;
}

/**
 * @throws {InvalidArgumentError} the file is missing or no ONNX model, a name that the model does not have, or a type,
 * rank or size that is not the model's. The message names the model, what was expected and what was found.
 */
export async function openModel(ort: typeof Ort, request: ModelRequest): Promise<ModelSession> {
  const name = nameOf(request.model);
  const refuse = (text: string, cause?: unknown): never => {
    throw new InvalidArgumentError(`embed: ${name} ${text}`, cause === undefined ? undefined : { cause });
  };
  const session = await createSession(ort, request.model, refuse);
  try {
    const input = pick(session.inputMetadata, request.inputName, "input", refuse);
    const output = pick(session.outputMetadata, request.outputName, "output", refuse);
    const others = session.inputMetadata.filter((candidate) => candidate.name !== input.name);
    if (others.length > 0) {
      refuse(`has ${session.inputMetadata.length} inputs (${list(session.inputMetadata)}); embed can feed one`);
    }
    const dtype = readType(input, request.dtype, refuse);
    if (!READABLE_OUTPUTS.has(output.type))
      refuse(`answers ${output.type} in ${output.name}; embed reads floats and bytes`);
    const shape = readShape(input, request, refuse);
    const opened: ModelSession = {
      ...shape,
      dtype,
      run: async (data, count) => {
        const { layout, width, height } = shape;
        const dims = layout === "NCHW" ? [count, 3, height, width] : [count, height, width, 3];
        const tensor = makeTensor(ort, dtype, data, dims);
        const answer = (await session.run({ [input.name]: tensor }, [output.name]))[output.name] as Ort.Tensor;
        return readAnswer(answer, count, output.name);
      },
      release: () => session.release(),
    };
    if (!tellsItsOutput(input, output)) await probe(opened, refuse);
    return opened;
  } catch (error) {
    await session.release();
    throw error;
  }
}

type Refuse = (text: string, cause?: unknown) => never;
type Value = Ort.InferenceSession.TensorValueMetadata;

function nameOf(model: ModelSource): string {
  return typeof model === "string" ? `the model ${model}` : `the model (${model.byteLength} bytes)`;
}

async function createSession(ort: typeof Ort, model: ModelSource, refuse: Refuse): Promise<Ort.InferenceSession> {
  const options: Ort.InferenceSession.SessionOptions = {
    // By default every session starts a thread per core, and an engine with a thread per core has as many sessions.
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Fatal only: what fails is thrown and told by the item's error; on standard error it would be said a second time.
    logSeverityLevel: 4,
  };
  try {
    if (typeof model !== "string") return await ort.InferenceSession.create(ownBytes(model), options);
    const path = model.startsWith("file:") ? fileURLToPath(model) : model;
    const stats = await stat(path);
    if (!stats.isFile()) return refuse("is not a file");
    if (stats.size === 0) return refuse("is empty");
    return await ort.InferenceSession.create(path, options);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const parse = /protobuf parsing failed|INVALID_PROTOBUF|ModelProto does not have a graph/i.test(message);
    return refuse(parse ? `is not an ONNX model (${message})` : `cannot be opened: ${message}`, error);
  }
}

/** ONNX Runtime 1.30 refuses a view of shared memory: such a model is copied, and the copy dropped once it is open. */
function ownBytes(model: Uint8Array | SharedArrayBuffer): Uint8Array {
  const bytes = model instanceof Uint8Array ? model : new Uint8Array(model);
  return bytes.buffer instanceof SharedArrayBuffer ? new Uint8Array(bytes) : bytes;
}

function pick(
  values: readonly Ort.InferenceSession.ValueMetadata[],
  wanted: string | undefined,
  kind: "input" | "output",
  refuse: Refuse,
): Value {
  const value = wanted === undefined ? values[0] : values.find(({ name }) => name === wanted);
  if (value === undefined) return refuse(`has no ${kind} ${JSON.stringify(wanted)}; its ${kind}s are ${list(values)}`);
  return value.isTensor ? value : refuse(`has an ${kind} ${value.name} that is not a tensor`);
}

function list(values: readonly Ort.InferenceSession.ValueMetadata[]): string {
  return values.map(({ name }) => JSON.stringify(name)).join(", ");
}

const READABLE_OUTPUTS = new Set<string>(["float32", "float16", "float64", "uint8", "int8", "int32"]);

function readType(input: Value, wanted: InputType | undefined, refuse: Refuse): InputType {
  const { type, name } = input;
  if (type !== "float32" && type !== "float16" && type !== "uint8") {
    return refuse(`takes ${type} in ${name}; embed can feed float32, float16 and uint8`);
  }
  if (wanted !== undefined && wanted !== type) return refuse(`takes ${type} in ${name}; option dtype says ${wanted}`);
  return type;
}

function readShape(input: Value, request: ModelRequest, refuse: Refuse) {
  const { name, shape } = input;
  const found = `[${shape.join(", ")}]`;
  // No shape at all: the model leaves it open, and the options have to say it.
  if (shape.length !== 0 && shape.length !== 4) {
    return refuse(`takes ${name} of shape ${found}; embed feeds four dimensions, NCHW or NHWC`);
  }
  const detected = shape[1] === 3 ? "NCHW" : shape[3] === 3 ? "NHWC" : undefined;
  const layout = request.layout ?? detected ?? "NCHW";
  const [channels, height, width] = layout === "NCHW" ? [shape[1], shape[2], shape[3]] : [shape[3], shape[1], shape[2]];
  if (typeof channels === "number" && channels !== 3) {
    return refuse(`takes ${name} of shape ${found}; with layout ${layout} it would have ${channels} channels, not 3`);
  }
  const side = (option: "width" | "height", declared: number | string | undefined): number => {
    const wanted = request[option];
    if (typeof declared === "number") {
      if (wanted === undefined || wanted === declared) return declared;
      return refuse(
        `takes ${name} of shape ${found}, layout ${layout}: ${option} ${declared}; the option says ${wanted}`,
      );
    }
    return wanted ?? refuse(`leaves the ${option} of ${name} open (${found}); give the option ${option}`);
  };
  const batch = shape[0];
  return {
    layout,
    width: side("width", width),
    height: side("height", height),
    fixedBatch: typeof batch === "number" && batch > 0 ? batch : undefined,
  };
}

/** Whether the metadata promises an answer of known length for each image. */
function tellsItsOutput(input: Value, output: Value): boolean {
  const [batch, ...rest] = output.shape;
  return batch !== undefined && batch === input.shape[0] && rest.every((dim) => typeof dim === "number");
}

/** Runs the model once on zeros: what it answers, or that it cannot, is known before the first image. */
async function probe(model: ModelSession, refuse: Refuse): Promise<void> {
  const count = model.fixedBatch ?? 1;
  const length = count * 3 * model.width * model.height;
  const zeros = { float32: Float32Array, float16: Uint16Array, uint8: Uint8Array }[model.dtype];
  await model.run(new zeros(length), count).catch((cause: unknown) => {
    const message = cause instanceof Error ? cause.message : String(cause);
    refuse(`fails on a first image of ${model.width} × ${model.height} zeros (${model.layout}): ${message}`, cause);
  });
}

function makeTensor(ort: typeof Ort, dtype: InputType, data: InputArray, dims: readonly number[]): Ort.Tensor {
  if (dtype === "float16") return float16Tensor(ort.Tensor, data as Uint16Array<ArrayBuffer>, dims);
  if (dtype === "uint8") return new ort.Tensor("uint8", data as Uint8Array, dims);
  return new ort.Tensor("float32", data as Float32Array, dims);
}

function readAnswer({ type, data, dims }: Ort.Tensor, count: number, name: string): Float32Array {
  if (dims[0] !== count && !(count === 1 && dims.length === 0)) {
    throw new Error(`${name} has shape [${dims.join(", ")}] for ${count} images: its first dimension must be ${count}`);
  }
  if (data instanceof Float32Array) return data;
  if (type === "float16" && data instanceof Uint16Array) return Float32Array.from(data, fromFloat16);
  // Node 24 answers float16 as a Float16Array, which converts like any other.
  return Float32Array.from(data as ArrayLike<number>);
}
