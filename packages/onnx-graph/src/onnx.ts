/**
 * The few messages of an ONNX file that a feed-forward graph needs, on top of the protobuf writer. The field numbers
 * are those of `onnx/onnx.proto` (IR version 8); each builder writes its fields in the order of their numbers, so
 * that the same graph is always the same bytes.
 */
import { bytesField, floatField, intField, message, packedIntsField, stringField, type Encoded } from "./protobuf.js";

/** `TensorProto.DataType`, the members that are used. */
const ELEMENT_TYPE = { float32: 1, uint8: 2, int64: 7, float16: 10, float64: 11 } as const;
export type ElementType = keyof typeof ELEMENT_TYPE;

/** An attribute of a node: a whole number, a float, a string, or a list of whole numbers. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] };

/** A tensor's shape in a signature; a string is a dimension that the caller chooses, such as the batch. */
export type SignatureShape = readonly (number | string)[];

/** A constant of the graph. */
export function floatTensor(name: string, dims: readonly number[], values: ArrayLike<number>): Encoded {
  const raw = new Uint8Array(values.length * 4);
  const view = new DataView(raw.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(i * 4, values[i] ?? 0, true);
  return tensor(name, dims, "float32", raw);
}

/** A constant of 64-bit integers: shapes, paddings and axes travel as such. */
export function intTensor(name: string, values: readonly number[]): Encoded {
  const raw = new Uint8Array(values.length * 8);
  const view = new DataView(raw.buffer);
  values.forEach((value, i) => view.setBigInt64(i * 8, BigInt(value), true));
  return tensor(name, [values.length], "int64", raw);
}

function tensor(name: string, dims: readonly number[], type: ElementType, raw: Uint8Array): Encoded {
  return message([
    packedIntsField(1, dims),
    intField(2, ELEMENT_TYPE[type]),
    stringField(8, name),
    // Little-endian bytes of all values, row by row. `float_data` would say the same in more bytes.
    bytesField(9, raw),
  ]);
}

/** One operation: `outputs = type(inputs, attributes)`. It is named after its first output, which is unique. */
export function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Encoded {
  return message([
    ...inputs.map((name) => stringField(1, name)),
    ...outputs.map((name) => stringField(2, name)),
    stringField(3, outputs[0] ?? type),
    stringField(4, type),
    ...Object.entries(attributes).map(([name, value]) => bytesField(5, attribute(name, value))),
  ]);
}

function attribute(name: string, value: Attribute): Encoded {
  const TYPE_FIELD = 20;
  if ("float" in value) return message([stringField(1, name), floatField(2, value.float), intField(TYPE_FIELD, 1)]);
  if ("int" in value) return message([stringField(1, name), intField(3, value.int), intField(TYPE_FIELD, 2)]);
  if ("string" in value) return message([stringField(1, name), stringField(4, value.string), intField(TYPE_FIELD, 3)]);
  return message([stringField(1, name), ...value.ints.map((one) => intField(8, one)), intField(TYPE_FIELD, 7)]);
}

/** An input or output of the graph, with its type and shape. */
export function signature(name: string, type: ElementType, shape: SignatureShape): Encoded {
  const dims = shape.map((dim) => bytesField(1, typeof dim === "string" ? stringField(2, dim) : intField(1, dim)));
  const tensorType = message([intField(1, ELEMENT_TYPE[type]), bytesField(2, message(dims))]);
  return message([stringField(1, name), bytesField(2, bytesField(1, tensorType))]);
}

/** All that a graph consists of, each part encoded by the builders above. */
export interface GraphParts {
  readonly name: string;
  readonly doc: string;
  /** Who made the file. */
  readonly producer: string;
  readonly nodes: readonly Encoded[];
  readonly constants: readonly Encoded[];
  readonly inputs: readonly Encoded[];
  readonly outputs: readonly Encoded[];
}

/** The whole file. */
export function onnxModel(graph: GraphParts, opset: number): Encoded {
  const IR_VERSION = 8;
  return message([
    intField(1, IR_VERSION),
    stringField(2, graph.producer),
    bytesField(
      7,
      message([
        ...graph.nodes.map((one) => bytesField(1, one)),
        stringField(2, graph.name),
        ...graph.constants.map((one) => bytesField(5, one)),
        stringField(10, graph.doc),
        ...graph.inputs.map((one) => bytesField(11, one)),
        ...graph.outputs.map((one) => bytesField(12, one)),
      ]),
    ),
    // The default domain (field 1 left out) at this version of the operators.
    bytesField(8, intField(2, opset)),
  ]);
}
