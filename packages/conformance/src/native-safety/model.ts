/** A model whose inference takes as long as asked: a chain of convolutions over any number of planes. */
import { type Encoded, floatTensor, node, onnxModel, signature } from "@threadmill/onnx-graph";

export const CHANNELS = 8;
export const SIDE = 64;
const LAYERS = 100;
const OUTPUT = `x${LAYERS}`;

/** About what one plane takes on the machines of 2025. */
export const MS_PER_PLANE = 9;

export function chainModel(): Uint8Array {
  const weights = Array.from({ length: CHANNELS * CHANNELS * 9 }, (_, i) => Math.sin(i) / 20);
  const nodes: Encoded[] = [];
  for (let layer = 0; layer < LAYERS; layer++) {
    nodes.push(node("Conv", [`x${layer}`, "weights"], [`x${layer + 1}`], { pads: { ints: [1, 1, 1, 1] } }));
  }
  const shape = ["planes", CHANNELS, SIDE, SIDE];
  return onnxModel(
    {
      name: "chain",
      doc: "convolutions, one behind the other",
      producer: "threadmill-conformance",
      nodes,
      constants: [floatTensor("weights", [CHANNELS, CHANNELS, 3, 3], weights)],
      inputs: [signature("x0", "float32", shape)],
      outputs: [signature(OUTPUT, "float32", shape)],
    },
    17,
  );
}
