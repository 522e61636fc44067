/** Inference with everything adjustable that might matter. */
import { defineTask } from "@threadmill/workers";
import type { InferenceSession } from "onnxruntime-node";
import { CHANNELS, convolutions } from "../cancel-inference/model.js";

export interface InferenceOptions {
  /** Threads of ONNX Runtime's own in each session; 0 is its default, one for each core. */
  readonly intraOpThreads: number;
  /** Images in one run of the model. */
  readonly images: number;
  /** Side of an image. Pixels. */
  readonly size: number;
  readonly layers: number;
}

interface Loaded {
  readonly session: InferenceSession;
  readonly run: (images: number) => Promise<void>;
}

export const infer = defineTask({
  maxBatchItems: 64,
  native: true,
  setup: async ({ intraOpThreads, size, layers }: InferenceOptions): Promise<Loaded> => {
    const ort = await import("onnxruntime-node");
    const session = await ort.InferenceSession.create(convolutions({ layers, size, images: "n" }), {
      intraOpNumThreads: intraOpThreads,
      interOpNumThreads: 1,
      executionMode: "sequential",
    });
    const image = CHANNELS * size * size;
    return {
      session,
      run: async (images) => {
        const input = new ort.Tensor("float32", new Float32Array(images * image).fill(0.5), [
          images,
          CHANNELS,
          size,
          size,
        ]);
        const output = (await session.run({ x0: input }))[`x${layers}`];
        if (output?.dims[0] !== images) throw new Error(`${String(output?.dims[0])} answers for ${images} images`);
      },
    };
  },
  teardown: ({ session }) => session.release(),
  batch: async (items: number[], ctx) => {
    for (let from = 0; from < items.length; from += ctx.options.images) {
      ctx.throwIfCancelled();
      await ctx.resource.run(Math.min(ctx.options.images, items.length - from));
    }
    return items;
  },
});
