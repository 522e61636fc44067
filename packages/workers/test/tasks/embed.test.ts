import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import embedDefault, { embed, readModel, type EmbedItem, type EmbedOptions } from "../../src/tasks/embed.js";
import { onnxBytes, type ElementType, type OnnxGraph } from "./onnx-bytes.js";
import { runOne, runTask } from "./run-task.js";
import { tempFolder } from "./temp-folder.js";

const file = tempFolder();

/** A model that answers its input as it got it, image by image: what `embed` fed is what comes out. */
function echo(
  type: ElementType,
  shape: OnnxGraph["inputs"][number]["shape"],
  more: Partial<OnnxGraph> = {},
): Uint8Array {
  return onnxBytes({
    inputs: [{ name: "image", type, shape }],
    outputs: [{ name: "vector", type, shape: [shape[0] ?? 1, "length"] }],
    nodes: [{ op: "Flatten", inputs: ["image"], outputs: ["vector"], attributes: { axis: 1 } }],
    ...more,
  });
}

const NCHW = ["N", 3, 1, 2] as const;
const NHWC = ["N", 1, 2, 3] as const;
/** No scaling: the numbers are the bytes. */
const RAW = { scale: 1 } as const;

/** Two pixels side by side. */
const twoPixels = (...bytes: number[]): EmbedItem => ({ pixels: Uint8Array.from(bytes), width: 2, height: 1 });
const A = twoPixels(1, 2, 3, 4, 5, 6);
const B = twoPixels(10, 20, 30, 40, 50, 60);

const vectors = async (items: readonly EmbedItem[], options: EmbedOptions) => {
  const { outcomes } = await runTask(embed, items, { options });
  return outcomes.map((outcome) =>
    outcome.status === "completed" ? Array.from(outcome.value) : outcome.error.message,
  );
};

describe("embed", () => {
  it("feeds the channels one after the other, or pixel by pixel, as the model declares", async () => {
    expect(await vectors([A], { model: echo("float32", NCHW), ...RAW })).toEqual([[1, 4, 2, 5, 3, 6]]);
    expect(await vectors([A], { model: echo("float32", NHWC), ...RAW })).toEqual([[1, 2, 3, 4, 5, 6]]);
  });

  it("turns red and blue around for models that want it so", async () => {
    const options = { channelOrder: "BGR", ...RAW } as const;
    expect(await vectors([A], { model: echo("float32", NCHW), ...options })).toEqual([[3, 6, 2, 5, 1, 4]]);
    expect(await vectors([A], { model: echo("float32", NHWC), ...options })).toEqual([[3, 2, 1, 6, 5, 4]]);
  });

  it("scales bytes to 0 to 1 unless told otherwise, then takes mean and deviation of each channel", async () => {
    const model = echo("float32", NHWC);
    const [plain] = await vectors([twoPixels(0, 51, 255, 0, 0, 0)], { model });
    expect(plain).toEqual([0, Math.fround(0.2), 1, 0, 0, 0]);
    const options = { model, scale: 1, mean: [1, 2, 3], deviation: [1, 2, 4] } as const;
    expect(await vectors([twoPixels(1, 4, 11, 2, 2, 3)], options)).toEqual([[0, 1, 2, 1, 0, 0]]);
    expect(await vectors([A], { model, scale: 2, mean: 1, deviation: 0.5 })).toEqual([[2, 6, 10, 14, 18, 22]]);
  });

  it("keeps mean and deviation with their colour when the order is turned around", async () => {
    const options = { model: echo("float32", NHWC), scale: 1, mean: [1, 2, 3], channelOrder: "BGR" } as const;
    expect(await vectors([A], options)).toEqual([[0, 0, 0, 3, 3, 3]]);
  });

  it("feeds bytes as they are to models that take bytes", async () => {
    expect(await vectors([A], { model: echo("uint8", NHWC) })).toEqual([[1, 2, 3, 4, 5, 6]]);
  });

  it("feeds and reads half-precision floats", async () => {
    const [vector] = await vectors([twoPixels(0, 51, 255, 1, 2, 3)], { model: echo("float16", NHWC) });
    expect(vector?.[2]).toBe(1);
    expect(vector?.[1]).toBe(0.199951171875);
    expect(await vectors([A], { model: echo("float16", NHWC), ...RAW })).toEqual([[1, 2, 3, 4, 5, 6]]);
  });

  it("answers each item of a batch in its place, and runs them together", async () => {
    const items = Array.from({ length: 10 }, (_, i) => twoPixels(i, i, i, i, i, i));
    const options = { model: echo("float32", NHWC), maxBatchItems: 4, ...RAW };
    const { outcomes, nativeCalls } = await runTask(embed, items, { options });
    expect(outcomes.map((outcome) => outcome.status === "completed" && outcome.value[0])).toEqual([...items.keys()]);
    // Four, four and two.
    expect(nativeCalls).toBe(3);
  });

  it("runs a model of one image one by one, and one of three with zeros in the empty places", async () => {
    for (const [batch, runs] of [
      [1, 4],
      [3, 2],
    ] as const) {
      const options = { model: echo("float32", [batch, 1, 2, 3]), ...RAW };
      const { outcomes, nativeCalls } = await runTask(embed, [A, B, A, B], { options });
      expect(nativeCalls).toBe(runs);
      const firsts = outcomes.map(
        (outcome) => outcome.status === "completed" && [outcome.value.length, outcome.value[0]],
      );
      expect(firsts).toEqual([
        [6, 1],
        [6, 10],
        [6, 1],
        [6, 10],
      ]);
    }
  });

  it("hands each vector over in memory of its own", async () => {
    const { outcomes, transferred } = await runTask(embed, [A, B], { options: { model: echo("float32", NCHW) } });
    expect(outcomes.map((outcome) => outcome.status === "completed" && outcome.value.buffer.byteLength)).toEqual([
      24, 24,
    ]);
    expect(transferred).toEqual(outcomes.map((outcome) => outcome.status === "completed" && outcome.value));
  });

  it("scales vectors to length 1 on request, and leaves one of zeros alone", async () => {
    const options = { model: echo("float32", NHWC), l2: true, ...RAW };
    const black = twoPixels(0, 0, 0, 0, 0, 0);
    const [vector, zeros] = await vectors([twoPixels(3, 4, 0, 0, 0, 0), black], options);
    expect(vector).toEqual([3, 4, 0, 0, 0, 0].map((value) => Math.fround(value / 5)));
    expect(zeros).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("takes the output asked for, and the first one otherwise", async () => {
    const model = echo("float32", NHWC, {
      outputs: [
        { name: "vector", type: "float32", shape: ["N", "length"] },
        { name: "halved", type: "float32", shape: ["N", "length"] },
      ],
      nodes: [
        { op: "Flatten", inputs: ["image"], outputs: ["vector"], attributes: { axis: 1 } },
        { op: "Neg", inputs: ["vector"], outputs: ["halved"] },
      ],
    });
    expect(await vectors([A], { model, ...RAW })).toEqual([[1, 2, 3, 4, 5, 6]]);
    expect(await vectors([A], { model, outputName: "halved", inputName: "image", ...RAW })).toEqual([
      [-1, -2, -3, -4, -5, -6],
    ]);
  });

  it("takes sizes from the options where the model leaves them open", async () => {
    const options = { model: echo("float32", ["N", 3, "H", "W"]), width: 2, height: 1, ...RAW };
    expect(await vectors([A], options)).toEqual([[1, 4, 2, 5, 3, 6]]);
  });

  it("is the module's default export too", () => {
    expect(embedDefault).toBe(embed);
  });
});

describe("the images of embed", () => {
  const model = echo("float32", ["N", 3, 4, 4]);

  it("are decoded upright, in colour, to the model's size", async () => {
    const red = sharp({ create: { width: 40, height: 20, channels: 3, background: { r: 255, g: 0, b: 0 } } });
    const bytes = await red.png().toBuffer();
    const expected = Array.from({ length: 48 }, (_, i) => (i < 16 ? 1 : 0));
    expect(await vectors([{ bytes }, file("red.png", bytes), { path: file("red.png") }], { model })).toEqual([
      expected,
      expected,
      expected,
    ]);
  });

  it("have mid grey where they are transparent, and as borders", async () => {
    const clear = { r: 255, g: 0, b: 0, alpha: 0 };
    const bytes = await sharp({ create: { width: 9, height: 9, channels: 4, background: clear } })
      .png()
      .toBuffer();
    expect(await vectors([{ bytes }], { model, ...RAW })).toEqual([Array(48).fill(128)]);
    const wide = await sharp({ create: { width: 40, height: 10, channels: 3, background: "black" } })
      .png()
      .toBuffer();
    const [contained] = await vectors([{ bytes: wide }], { model, fit: "contain", ...RAW });
    expect(contained?.slice(0, 4)).toEqual([128, 128, 128, 128]);
  });

  it("fail alone, in their place, when they are bad", async () => {
    const good = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    const items: EmbedItem[] = [
      { bytes: good },
      { bytes: good.subarray(0, 50) },
      file("missing.jpg"),
      { bytes: Buffer.from("no image") },
      { pixels: new Uint8Array(5), width: 4, height: 4 },
      { pixels: new Uint8Array(12), width: 2, height: 2 },
      { bytes: good },
    ];
    const { outcomes } = await runTask(embed, items, { options: { model } });
    const codes = outcomes.map((outcome) => (outcome.status === "failed" ? outcome.error.code : "ok"));
    expect(codes).toEqual([
      "ok",
      "IMAGE_CORRUPT",
      "FILE_UNREADABLE",
      "NOT_AN_IMAGE",
      "INVALID_ITEM",
      "INVALID_ITEM",
      "ok",
    ]);
  });

  it("are all that is needed when every one of a batch is bad", async () => {
    const { outcomes, nativeCalls } = await runTask(embed, [file("missing.jpg")], { options: { model } });
    expect(outcomes).toMatchObject([{ status: "failed", error: { code: "FILE_UNREADABLE" } }]);
    expect(nativeCalls).toBe(0);
  });
});

describe("embed and a model that fails", () => {
  /** Declares an open batch, and reshapes to one image inside. */
  const oneOnly = onnxBytes({
    inputs: [{ name: "image", type: "float32", shape: [...NHWC] }],
    outputs: [{ name: "vector", type: "float32", shape: ["N", 6] }],
    nodes: [{ op: "Reshape", inputs: ["image", "target"], outputs: ["vector"] }],
    constants: { target: [1, 6] },
  });

  it("runs the images one by one when they do not go through together", async () => {
    const { outcomes, nativeCalls } = await runTask(embed, [A, B, A], { options: { model: oneOnly, ...RAW } });
    const firsts = outcomes.map((outcome) => outcome.status === "completed" && outcome.value[0]);
    expect(firsts).toEqual([1, 10, 1]);
    expect(nativeCalls).toBe(4);
  });

  it("does not ask for a joint run again", async () => {
    const options = { model: oneOnly, maxBatchItems: 2, ...RAW };
    // Two together, in vain; then four alone.
    expect((await runTask(embed, [A, B, A, B], { options })).nativeCalls).toBe(5);
  });

  it("fails only the image whose answer is not a number", async () => {
    const model = echo("float32", NHWC, {
      nodes: [
        { op: "Log", inputs: ["image"], outputs: ["logarithm"] },
        { op: "Flatten", inputs: ["logarithm"], outputs: ["vector"], attributes: { axis: 1 } },
      ],
    });
    const { outcomes } = await runTask(embed, [A, twoPixels(0, 0, 0, 0, 0, 0), B], { options: { model, l2: true } });
    const codes = outcomes.map((outcome) => (outcome.status === "failed" ? outcome.error.code : "ok"));
    expect(codes).toEqual(["ok", "INFERENCE_FAILED", "ok"]);
  });
});

describe("a cancel of embed", () => {
  it("is seen between one-by-one runs", async () => {
    const reason = new Error("cancelled");
    let runsBefore = 0;
    const { outcomes, nativeCalls } = await runTask(embed, [A, B, A, B], {
      options: { model: echo("float32", [1, 1, 2, 3]) },
      onCheck: (check, cancel) => {
        runsBefore = check;
        if (check === 6) cancel(reason);
      },
    });
    expect(runsBefore).toBeGreaterThanOrEqual(6);
    expect(nativeCalls).toBeGreaterThan(0);
    expect(nativeCalls).toBeLessThan(4);
    expect(outcomes.every((outcome) => outcome.status === "failed" && outcome.error === reason)).toBe(true);
  });

  it("is seen before the model runs, and is no fault of an image", async () => {
    const reason = new Error("cancelled");
    const { outcomes, nativeCalls } = await runTask(embed, [file("missing.jpg"), A], {
      options: { model: echo("float32", NHWC) },
      onCheck: (check, cancel) => {
        if (check === 2) cancel(reason);
      },
    });
    expect(nativeCalls).toBe(0);
    expect(outcomes).toEqual([
      { status: "failed", error: reason },
      { status: "failed", error: reason },
    ]);
  });
});

describe("the model of embed", () => {
  const bytes = echo("float32", NHWC);

  it("is given by path, by file URL, as bytes, or as shared memory that was read once", async () => {
    const path = file("echo.onnx", bytes);
    const shared = await readModel(path);
    expect(shared).toBeInstanceOf(SharedArrayBuffer);
    expect(await readModel(pathToFileURL(path))).toEqual(shared);
    for (const model of [path, pathToFileURL(path).href, bytes, shared, new Uint8Array(shared)]) {
      expect(await vectors([A], { model, ...RAW })).toEqual([[1, 2, 3, 4, 5, 6]]);
    }
  });

  it("is refused in setup, by name, when there is none", async () => {
    const path = file("missing.onnx");
    await expect(runOne(embed, A, { model: path })).rejects.toThrow(
      `embed: the model ${path} cannot be opened: ENOENT`,
    );
    const text = file("text.onnx", "this is no model");
    await expect(runOne(embed, A, { model: text })).rejects.toThrow(`embed: the model ${text} is not an ONNX model`);
    await expect(runOne(embed, A, { model: file("empty.onnx", "") })).rejects.toThrow("is empty");
    const few = Uint8Array.of(1, 2, 3);
    await expect(runOne(embed, A, { model: few })).rejects.toThrow("embed: the model (3 bytes) is not an ONNX model");
  });

  const refused: readonly (readonly [model: Uint8Array, options: Partial<EmbedOptions>, text: string])[] = [
    [bytes, { inputName: "x" }, 'has no input "x"; its inputs are "image"'],
    [bytes, { outputName: "y" }, 'has no output "y"; its outputs are "vector"'],
    [bytes, { dtype: "uint8" }, "takes float32 in image; option dtype says uint8"],
    [bytes, { width: 3 }, "takes image of shape [N, 1, 2, 3], layout NHWC: width 2; the option says 3"],
    [bytes, { layout: "NCHW" }, "with layout NCHW it would have 1 channels, not 3"],
    [echo("float32", ["N", 3, "H", "W"]), {}, "leaves the width of image open ([N, 3, H, W]); give the option width"],
    [echo("float32", ["N", 6]), {}, "takes image of shape [N, 6]; embed feeds four dimensions"],
    [echo("int64", NHWC), {}, "takes int64 in image; embed can feed float32, float16 and uint8"],
    [echo("uint8", NHWC), { mean: 1 }, "takes uint8; scale, mean and deviation do not go with it"],
  ];

  it("is checked in setup against what the options say", async () => {
    for (const [model, options, text] of refused) {
      const run = runOne(embed, A, { model, ...options });
      await expect(run).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(run).rejects.toThrow(text);
    }
  });

  it("is tried on zeros in setup where it does not tell its answer", async () => {
    const wrong = echo("float32", NHWC, {
      nodes: [{ op: "Reshape", inputs: ["image", "target"], outputs: ["vector"] }],
      constants: { target: [7, 7] },
    });
    await expect(runOne(embed, A, { model: wrong })).rejects.toThrow("fails on a first image of 2 × 1 zeros (NHWC)");
    const merged = echo("float32", NHWC, {
      nodes: [{ op: "Reshape", inputs: ["image", "target"], outputs: ["vector"] }],
      constants: { target: [2, 3] },
    });
    await expect(runOne(embed, A, { model: merged })).rejects.toThrow("its first dimension must be 1");
  });

  it("goes with options that are checked by name and value", async () => {
    const wrong: readonly (readonly [options: object, text: string])[] = [
      [
        {},
        "embed: option model must be a path, a file URL as text, a Uint8Array or a SharedArrayBuffer, not undefined",
      ],
      [
        { model: bytes, deviation: 0 },
        "embed: option deviation must be a number other than 0, or three of them, not 0",
      ],
      [{ model: bytes, mean: [1, 2] }, "embed: option mean must be a finite number or three of them, not [1, 2]"],
      [{ model: bytes, maxBatchItems: 65 }, "embed: option maxBatchItems must be a whole number from 1 to 64, not 65"],
      [{ model: bytes, normalise: true }, "embed: unknown option normalise"],
    ];
    for (const [options, text] of wrong) {
      await expect(runTask(embed, [], { options: options as EmbedOptions })).rejects.toThrow(text);
    }
  });
});
