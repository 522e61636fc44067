/**
 * The default model: a picture of 64 × 64 pixels in, 1152 numbers out, by a graph of plain ONNX operations that
 * holds nothing but computed filters. Nothing is downloaded, and every machine builds the same bytes.
 *
 * ```
 * pixels ── log ── local contrast ─┬── 64 px ── Gabor ── magnitude ── 4 × 4 means ─┐
 *                                  ├── 32 px ── Gabor ── magnitude ── 4 × 4 means ─┼── x^0.4 ── length 1
 *                                  └── 16 px ── Gabor ── magnitude ── 4 × 4 means ─┘
 * ```
 */
import {
  type Attribute,
  type Encoded,
  floatTensor,
  intTensor,
  node,
  onnxModel,
  signature,
} from "@threadmill/onnx-graph";
import { GABOR_SIZE, gaborKernels, gaussianKernel, ORIENTATIONS } from "./gabor-kernels.js";

/** Side of the square input in pixels. */
export const INPUT_SIZE = 64;
const CHANNELS = 3;
const OCTAVES = 3;
const GRID = 4;
/** Length of the answer: channels × octaves × orientations × cells. */
export const EMBEDDING_SIZE = CHANNELS * OCTAVES * ORIENTATIONS * GRID * GRID;

export const INPUT_NAME = "pixels";
export const OUTPUT_NAME = "embedding";

/** Widely supported, and its Pad, ReduceSum and Reshape take constants where older sets take attributes. */
const OPSET = 17;

/** Local contrast: the window is wide enough to even out light and shadow, narrow enough to keep texture. */
const CONTRAST_TAPS = 21;
const CONTRAST_SIGMA = 4;
/** Keeps noise in flat areas from being blown up to full contrast. */
const CONTRAST_FLOOR = 0.2;

/** Strong edges must not drown the rest: found best by trial between 0.3 and 1. */
const COMPANDING = 0.4;
/** Below this length before normalising a picture shows nothing: black frames and blank pages stay near zero. */
const FEATURELESS_LENGTH = 6;

/** Collects nodes and constants under unique names. */
class GraphBuilder {
  readonly nodes: Encoded[] = [];
  readonly constants: Encoded[] = [];

  /** Adds an operation and returns the name of its output, which is `name`. */
  add(name: string, type: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>): string {
    this.nodes.push(node(type, inputs, [name], attributes));
    return name;
  }

  scalar(name: string, value: number): string {
    return this.floats(name, [], [value]);
  }

  floats(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    this.constants.push(floatTensor(name, dims, values));
    return name;
  }

  ints(name: string, values: readonly number[]): string {
    this.constants.push(intTensor(name, values));
    return name;
  }
}

/** The model file's bytes. The same on every machine: a test holds their hash. */
export function buildGaborModel(): Encoded {
  const graph = new GraphBuilder();
  const light = logLight(graph);
  let image = localContrast(graph, light);
  addFilters(graph);
  const octaves: string[] = [];
  for (let octave = 0; octave < OCTAVES; octave++) {
    const size = INPUT_SIZE / 2 ** octave;
    if (octave > 0) image = graph.add(`image${size}`, "AveragePool", [image], square(2));
    octaves.push(gaborEnergy(graph, image, size));
  }
  const raw = graph.add("raw", "Concat", octaves, { axis: { int: 1 } });
  normalise(graph, raw);
  return onnxModel(
    {
      name: "gabor-pyramid",
      doc: "64 x 64 sRGB pixels to 1152 numbers of length 1; built by script, not trained",
      producer: "threadmill-photo-indexer",
      nodes: graph.nodes,
      constants: graph.constants,
      inputs: [signature(INPUT_NAME, "uint8", ["batch", INPUT_SIZE, INPUT_SIZE, CHANNELS])],
      outputs: [signature(OUTPUT_NAME, "float32", ["batch", EMBEDDING_SIZE])],
    },
    OPSET,
  );
}

/** Bytes to log light, channels first: a change of exposure becomes a constant, which local contrast removes. */
function logLight(graph: GraphBuilder): string {
  const floats = graph.add("floats", "Cast", [INPUT_NAME], { to: { int: 1 } });
  const planes = graph.add("planes", "Transpose", [floats], { perm: { ints: [0, 3, 1, 2] } });
  return graph.add("light", "Log", [graph.add("above_zero", "Add", [planes, graph.scalar("one", 1)])]);
}

/** h = l − blur(l); h / (floor + √(blur(h²) + tiny)). */
function localContrast(graph: GraphBuilder, light: string): string {
  const kernel = gaussianKernel(CONTRAST_TAPS, CONTRAST_SIGMA);
  const perChannel = Float64Array.from({ length: CHANNELS * CONTRAST_TAPS }, (_, i) => kernel[i % CONTRAST_TAPS] ?? 0);
  graph.floats("blur_down", [CHANNELS, 1, CONTRAST_TAPS, 1], perChannel);
  graph.floats("blur_along", [CHANNELS, 1, 1, CONTRAST_TAPS], perChannel);
  const margin = (CONTRAST_TAPS - 1) / 2;
  graph.ints("blur_margin", [0, 0, margin, margin, 0, 0, margin, margin]);
  const blur = (name: string, input: string): string => {
    const padded = graph.add(`${name}_padded`, "Pad", [input, "blur_margin"], { mode: { string: "reflect" } });
    const down = graph.add(`${name}_down`, "Conv", [padded, "blur_down"], { group: { int: CHANNELS } });
    return graph.add(name, "Conv", [down, "blur_along"], { group: { int: CHANNELS } });
  };
  const detail = graph.add("detail", "Sub", [light, blur("light_mean", light)]);
  const power = blur("detail_power", graph.add("detail_squared", "Mul", [detail, detail]));
  const positive = graph.add("detail_power_positive", "Add", [power, graph.scalar("contrast_tiny", 1e-4)]);
  const deviation = graph.add("detail_deviation", "Sqrt", [positive]);
  const divisor = graph.add("detail_divisor", "Add", [deviation, graph.scalar("contrast_floor", CONTRAST_FLOOR)]);
  return graph.add(`image${INPUT_SIZE}`, "Div", [detail, divisor]);
}

/** The filters are the same for all channels and octaves. */
function addFilters(graph: GraphBuilder): void {
  const kernels = gaborKernels();
  const all = Float64Array.from({ length: CHANNELS * kernels.length }, (_, i) => kernels[i % kernels.length] ?? 0);
  graph.floats("gabor", [CHANNELS * ORIENTATIONS * 2, 1, GABOR_SIZE, GABOR_SIZE], all);
  const margin = (GABOR_SIZE - 1) / 2;
  graph.ints("gabor_margin", [0, 0, margin, margin, 0, 0, margin, margin]);
  graph.ints("parts_axis", [2]);
  graph.scalar("energy_tiny", 1e-8);
}

/** Mean magnitude of each filter in each cell of a 4 × 4 grid, flattened. */
function gaborEnergy(graph: GraphBuilder, image: string, size: number): string {
  const padded = graph.add(`padded${size}`, "Pad", [image, "gabor_margin"], { mode: { string: "reflect" } });
  const waves = graph.add(`waves${size}`, "Conv", [padded, "gabor"], { group: { int: CHANNELS } });
  // Cosine and sine answers lie side by side; their own axis lets one ReduceSum join them.
  const shape = graph.ints(`parts_shape${size}`, [0, CHANNELS * ORIENTATIONS, 2, size, size]);
  const parts = graph.add(`parts${size}`, "Reshape", [waves, shape]);
  const squares = graph.add(`squares${size}`, "Mul", [parts, parts]);
  const energy = graph.add(`energy${size}`, "ReduceSum", [squares, "parts_axis"], { keepdims: { int: 0 } });
  const positive = graph.add(`energy_positive${size}`, "Add", [energy, "energy_tiny"]);
  const magnitude = graph.add(`magnitude${size}`, "Sqrt", [positive]);
  const cells = graph.add(`cells${size}`, "AveragePool", [magnitude], square(size / GRID));
  return graph.add(`features${size}`, "Flatten", [cells], { axis: { int: 1 } });
}

/** x^0.4, then length 1, except for a picture that shows nothing. */
function normalise(graph: GraphBuilder, raw: string): void {
  const companded = graph.add("companded", "Pow", [raw, graph.scalar("companding", COMPANDING)]);
  const squares = graph.add("companded_squares", "Mul", [companded, companded]);
  const power = graph.add("power", "ReduceSum", [squares, graph.ints("feature_axis", [1])], { keepdims: { int: 1 } });
  const length = graph.add("length", "Sqrt", [power]);
  const divisor = graph.add("length_bounded", "Max", [length, graph.scalar("featureless", FEATURELESS_LENGTH)]);
  graph.add(OUTPUT_NAME, "Div", [companded, divisor]);
}

/** Attributes of a pooling over squares that do not overlap. */
function square(size: number): Record<string, Attribute> {
  return { kernel_shape: { ints: [size, size] }, strides: { ints: [size, size] } };
}
