/** Native work of three kinds, behind one face: it takes about as long as asked. For threads only. */
import { CHANNELS, MS_PER_PLANE, SIDE, chainModel } from "./model.js";
import type { Addon } from "./plan.js";

export interface NativeWork {
  /** One call of native code. ONNX Runtime and libsql block the thread meanwhile, sharp works beside it. */
  call(ms: number): unknown;
  release(): unknown;
}

const open: Readonly<Record<Addon, () => Promise<NativeWork>>> = {
  onnx: openOnnx,
  sharp: openSharp,
  libsql: openLibsql,
};

/** Loads the addon, if the thread does not have it yet, and opens what it works on. */
export function openAddon(addon: Addon): Promise<NativeWork> {
  return open[addon]();
}

async function openOnnx(): Promise<NativeWork> {
  const ort = await import("onnxruntime-node");
  const session = await ort.InferenceSession.create(chainModel(), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  return {
    call: async (ms) => {
      const planes = Math.max(Math.round(ms / MS_PER_PLANE), 1);
      const values = new Float32Array(planes * CHANNELS * SIDE * SIDE);
      await session.run({ x0: new ort.Tensor("float32", values, [planes, CHANNELS, SIDE, SIDE]) });
    },
    release: () => session.release(),
  };
}

async function openSharp(): Promise<NativeWork> {
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1);
  sharp.cache(false);
  return {
    call: async (ms) => {
      const side = Math.round(300 * Math.sqrt(ms));
      const image = sharp({ create: { width: side, height: side, channels: 3, background: "teal" } });
      await image.blur(30).resize(16, 16).raw().toBuffer();
    },
    release: () => undefined,
  };
}

const ROWS_PER_MS = 10_000;

async function openLibsql(): Promise<NativeWork> {
  const { default: Database } = await import("libsql");
  const database = new Database(":memory:");
  return {
    call: (ms) => {
      const rows = Math.round(ms * ROWS_PER_MS);
      const count = `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ${rows})`;
      database.prepare(`${count} SELECT sum(x) FROM c`).all();
    },
    release: () => database.close(),
  };
}
