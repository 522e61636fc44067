/** Tiny models for the tests of `embed`, as a table of what they take, do and give. */
import { type ElementType, intTensor, node, onnxModel, signature } from "@threadmill/onnx-graph";

export type { ElementType };

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
  const signatures = (values: readonly OnnxValue[]): Uint8Array[] =>
    values.map(({ name, type, shape }) => signature(name, type, shape));
  return onnxModel(
    {
      name: "graph",
      doc: "",
      producer: "test",
      nodes: nodes.map(({ op, inputs: from, outputs: to, attributes = {} }) =>
        node(op, from, to, Object.fromEntries(Object.entries(attributes).map(([name, int]) => [name, { int }]))),
      ),
      constants: Object.entries(constants).map(([name, values]) => intTensor(name, values)),
      inputs: signatures(inputs),
      outputs: signatures(outputs),
    },
    17,
  );
}
