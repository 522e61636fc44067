/** Work of 1 ms items in threads that have sharp and ONNX Runtime loaded, as those of an application would. */
import { threadId } from "node:worker_threads";
import { defineTask } from "@threadmill/workers";
import "onnxruntime-node";
import sharp from "sharp";
import { spin } from "../harness/spin.js";
import { beat } from "./heartbeats.js";

sharp.concurrency(1);
sharp.cache(false);

export interface WorkOptions {
  readonly beats: SharedArrayBuffer;
  readonly iterations: number;
}

/** The work that is cancelled. */
export const work = defineTask({
  setup: ({ beats }: WorkOptions) => new Int32Array(beats),
  item: (_index: number, ctx) => {
    beat(ctx.resource);
    return spin(ctx.options.iterations);
  },
});

/** The same for pools of single calls: more of it than anyone waits for. */
export function workOn({ beats, iterations, items }: WorkOptions & { readonly items: number }): void {
  const rows = new Int32Array(beats);
  for (let index = 0; index < items; index++) {
    beat(rows);
    spin(iterations);
  }
}

/** The next job: a little work, and which thread did it. */
export function whoAmI(iterations: number): number {
  spin(iterations);
  return threadId;
}
