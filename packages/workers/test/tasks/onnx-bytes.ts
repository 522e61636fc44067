/** Writes tiny ONNX models by hand: protobuf is field numbers, lengths and variable-length integers. */

const ELEMENT_TYPES = { float32: 1, uint8: 2, int64: 7, float16: 10, float64: 11 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  /** A number is fixed, a name leaves the dimension open. */
  readonly shape: readonly (number | string)[];
}

interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whole-number attributes. */
  readonly attributes?: Readonly<Record<string, number>>;
}

export interface OnnxGraph {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  /** Constant vectors of int64, such as the target of a Reshape. */
  readonly constants?: Readonly<Record<string, readonly number[]>>;
}

/** The bytes of a model file (IR version 8, operator set 17). */
export function onnxBytes({ inputs, outputs, nodes, constants = {} }: OnnxGraph): Uint8Array {
  const graph = [
    ...nodes.map((node) => message(1, encodeNode(node))),
    text(2, "graph"),
    ...Object.entries(constants).map(([name, values]) => message(5, encodeConstant(name, values))),
    ...inputs.map((value) => message(11, encodeValue(value))),
    ...outputs.map((value) => message(12, encodeValue(value))),
  ];
  return Uint8Array.from([...integer(1, 8), ...message(8, integer(2, 17)), ...message(7, graph.flat())]);
}

function encodeNode({ op, inputs, outputs, attributes = {} }: OnnxNode): number[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) =>
      message(5, [...text(1, name), ...integer(3, value), ...integer(20, 2)]),
    ),
  ];
}

function encodeConstant(name: string, values: readonly number[]): number[] {
  const data = values.flatMap((value) => integer(7, value));
  return [...integer(1, values.length), ...integer(2, ELEMENT_TYPES.int64), ...data, ...text(8, name)];
}

function encodeValue({ name, type, shape }: OnnxValue): number[] {
  const dims = shape.flatMap((dim) => message(1, typeof dim === "number" ? integer(1, dim) : text(2, dim)));
  const tensor = [...integer(1, ELEMENT_TYPES[type]), ...message(2, dims)];
  return [...text(1, name), ...message(2, message(1, tensor))];
}

function integer(field: number, value: number): number[] {
  return [...varint(field << 3), ...varint(value)];
}

function text(field: number, value: string): number[] {
  return message(field, [...Buffer.from(value)]);
}

function message(field: number, bytes: readonly number[]): number[] {
  return [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
