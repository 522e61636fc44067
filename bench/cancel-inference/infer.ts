/** The same inference as a task of Threadmill's and as a handler of Piscina's. */
import { defineTask } from "@threadmill/workers";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { CHANNELS, SIZE } from "./model.js";

export interface InferOptions {
  readonly model: SharedArrayBuffer;
  /** Counts how often the model was loaded, in memory that all threads share. */
  readonly loads: SharedArrayBuffer;
}

interface Loaded {
  readonly session: InferenceSession;
  readonly input: Tensor;
}

async function load({ model, loads }: InferOptions): Promise<Loaded> {
  const ort = await import("onnxruntime-node");
  Atomics.add(new Int32Array(loads), 0, 1);
  const session = await ort.InferenceSession.create(new Uint8Array(model).slice(), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const shape = [1, CHANNELS, SIZE, SIZE];
  return { session, input: new ort.Tensor("float32", new Float32Array(CHANNELS * SIZE * SIZE), shape) };
}

async function run({ session, input }: Loaded, index: number): Promise<number> {
  await session.run({ x0: input });
  return index;
}

export const infer = defineTask({
  setup: (options: InferOptions) => load(options),
  item: (index: number, ctx) => run(ctx.resource, index),
  teardown: ({ session }) => session.release(),
});

let loaded: Promise<Loaded> | undefined;

/** For Piscina, which has no setup: loaded at the first call. A batch by hand, so that an abort falls into a run. */
export default async function inferMany(options: InferOptions & { readonly count: number }): Promise<void> {
  loaded ??= load(options);
  for (let index = 0; index < options.count; index++) await run(await loaded, index);
}
