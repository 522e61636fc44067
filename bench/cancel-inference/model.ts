/** A model whose one inference takes some milliseconds: a chain of convolutions, built here. */
import { type Encoded, floatTensor, node, onnxModel, signature } from "@threadmill/onnx-graph";

export const CHANNELS = 8;
export const SIZE = 128;
const LAYERS = 12;

export function slowModel(): Uint8Array {
  return convolutions({ layers: LAYERS, size: SIZE, images: 1 });
}

export interface Convolutions {
  readonly layers: number;
  /** Side of the square picture. Pixels. */
  readonly size: number;
  /** In one run; a name leaves it open. */
  readonly images: number | string;
}

export function convolutions({ layers, size, images }: Convolutions): Uint8Array {
  const weights = Array.from({ length: CHANNELS * CHANNELS * 9 }, (_, i) => Math.sin(i) / 20);
  const nodes: Encoded[] = [];
  for (let layer = 0; layer < layers; layer++) {
    nodes.push(node("Conv", [`x${layer}`, "weights"], [`x${layer + 1}`], { pads: { ints: [1, 1, 1, 1] } }));
  }
  const shape = [images, CHANNELS, size, size];
  return onnxModel(
    {
      name: "chain",
      doc: "convolutions, one behind the other",
      producer: "threadmill-bench",
      nodes,
      constants: [floatTensor("weights", [CHANNELS, CHANNELS, 3, 3], weights)],
      inputs: [signature("x0", "float32", shape)],
      outputs: [signature(`x${layers}`, "float32", shape)],
    },
    17,
  );
}
