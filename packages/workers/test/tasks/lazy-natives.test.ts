import { describe, expect, it } from "vitest";
import { loadPeer } from "../../src/tasks/optional-peer.js";
import { onnxBytes } from "./onnx-bytes.js";
import { runTask } from "./run-task.js";

/** Counts the addons that this process loads from here on. */
function watchAddons(): string[] {
  const opened: string[] = [];
  const dlopen = process.dlopen.bind(process);
  process.dlopen = (...args: Parameters<typeof dlopen>) => {
    opened.push(args[1]);
    return dlopen(...args);
  };
  return opened;
}

describe("the ready tasks", () => {
  it("load no native package before setup, and then only their own", async () => {
    const opened = watchAddons();
    await import("../../src/tasks/content-hash.js");
    await import("../../src/tasks/image-info.js");
    const { thumbnail } = await import("../../src/tasks/thumbnail.js");
    const { embed } = await import("../../src/tasks/embed.js");
    expect(opened).toEqual([]);

    const model = onnxBytes({
      inputs: [{ name: "image", type: "uint8", shape: [1, 1, 1, 3] }],
      outputs: [{ name: "vector", type: "uint8", shape: [1, 3] }],
      nodes: [{ op: "Flatten", inputs: ["image"], outputs: ["vector"], attributes: { axis: 1 } }],
    });
    // Pixels need no decoder, so that sharp is not loaded for them.
    const pixels = { pixels: Uint8Array.of(1, 2, 3), width: 1, height: 1 };
    const { outcomes } = await runTask(embed, [pixels], { options: { model } });
    expect(outcomes).toMatchObject([{ status: "completed" }]);
    expect(opened.filter((path) => path.includes("onnxruntime"))).toHaveLength(1);
    expect(opened.filter((path) => path.includes("sharp"))).toHaveLength(0);

    await runTask(thumbnail, []);
    expect(opened.filter((path) => path.includes("sharp"))).toHaveLength(1);
  });

  it("say which package is missing, and how to install it", async () => {
    const missing = Object.assign(new Error("Cannot find package 'sharp' imported from /app/x.js"), {
      code: "ERR_MODULE_NOT_FOUND",
    });
    await expect(loadPeer("thumbnail", "sharp", () => Promise.reject(missing))).rejects.toMatchObject({
      name: "PeerPackageError",
      code: "PEER_PACKAGE_UNUSABLE",
      packageName: "sharp",
      message: "thumbnail needs the package sharp, which is not installed: npm install sharp",
      cause: missing,
    });
  });

  it("say why a package that is installed does not load", async () => {
    const broken = new Error("Could not load the linux-x64 binary");
    await expect(loadPeer("embed", "onnxruntime-node", () => Promise.reject(broken))).rejects.toThrow(
      "embed needs the package onnxruntime-node, which could not be loaded (Could not load the linux-x64 binary)",
    );
  });
});
