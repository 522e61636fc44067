/** A model whose one inference takes some milliseconds: a chain of convolutions, built here. */
import { type Encoded, floatTensor, node, onnxModel, signature } from "@threadmill/onnx-graph";

export const CHANNELS = 8;
export const SIZE = 128;
const LAYERS = 12;

export function slowModel(): Uint8Array {
  const weights = Array.from({ length: CHANNELS * CHANNELS * 9 }, (_, i) => Math.sin(i) / 20);
  const nodes: Encoded[] = [];
  for (let layer = 0; layer < LAYERS; layer++) {
    nodes.push(node("Conv", [`x${layer}`, "weights"], [`x${layer + 1}`], { pads: { ints: [1, 1, 1, 1] } }));
  }
  const shape = [1, CHANNELS, SIZE, SIZE];
  return onnxModel(
    {
      name: "chain",
      doc: "convolutions, one behind the other",
      producer: "threadmill-bench",
      nodes,
      constants: [floatTensor("weights", [CHANNELS, CHANNELS, 3, 3], weights)],
      inputs: [signature("x0", "float32", shape)],
      outputs: [signature(`x${LAYERS}`, "float32", shape)],
    },
    17,
  );
}
