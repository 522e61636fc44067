import { describe, expect, it } from "vitest";
import { loadModel } from "../../src/model/model-file.js";
import { defaultModel } from "../../src/model/model.js";
import { tempFolder } from "../helpers/temp-folder.js";
import { containing } from "../helpers/text.js";

const folder = tempFolder();

describe("loadModel", () => {
  it("takes settings from the file beside the model, and flags before those", async () => {
    const path = folder.write("m.onnx", "bytes");
    folder.write("m.onnx.json", JSON.stringify({ size: 96, mean: [1, 2, 3], layout: "NHWC", nearThreshold: 0.9 }));
    const model = await loadModel(path, { size: 128 });
    expect(model).toMatchObject({ name: "m.onnx", width: 128, height: 128, nearThreshold: 0.9 });
    expect(model.embed).toMatchObject({ width: 128, mean: [1, 2, 3], layout: "NHWC", l2: true });
    expect(model.embed).not.toHaveProperty("nearThreshold");
    expect(model.embed.model).toBeInstanceOf(SharedArrayBuffer);
  });

  it("has a key that changes with the content and with how it is fed, and with nothing else", async () => {
    const path = folder.write("m.onnx", "bytes");
    const { key } = await loadModel(path, {});
    expect((await loadModel(folder.write("renamed.onnx", "bytes"), {})).key).toBe(key);
    expect((await loadModel(path, { nearThreshold: 0.5 })).key).toBe(key);
    expect((await loadModel(path, { scale: 1 })).key).not.toBe(key);
    expect((await loadModel(folder.write("m.onnx", "other"), {})).key).not.toBe(key);
    expect(defaultModel().key).toBe(defaultModel().key);
  });

  it("names a model or settings that cannot be used", async () => {
    await expect(loadModel(folder.path("none.onnx"), {})).rejects.toMatchObject({
      code: "MODEL_UNREADABLE",
      message: containing("none.onnx"),
    });
    await expect(loadModel(folder.write("empty.onnx", ""), {})).rejects.toMatchObject({ code: "MODEL_UNUSABLE" });
    const path = folder.write("m.onnx", "bytes");
    for (const [settings, message] of [
      ["{", "not JSON"],
      ["[]", "not an object"],
      ['{"colour":1}', '"colour"'],
      ['{"mean":"grey"}', "mean"],
      ['{"size":1000}', "1 to 512"],
      ['{"nearThreshold":2}', "threshold"],
    ] as const) {
      folder.write("m.onnx.json", settings);
      await expect(loadModel(path, {})).rejects.toMatchObject({
        code: "MODEL_UNUSABLE",
        message: containing(message),
      });
    }
  });
});
