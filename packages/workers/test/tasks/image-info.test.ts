import sharp from "sharp";
import { describe, expect, it } from "vitest";
import imageInfoDefault, { imageInfo } from "../../src/tasks/image-info.js";
import { exifBytes, withExifSegment } from "./exif-bytes.js";
import { hugePng } from "./huge-png.js";
import { runOne, runTask } from "./run-task.js";
import { tempFolder } from "./temp-folder.js";

const file = tempFolder();

function draw(width: number, height: number) {
  return sharp({ create: { width, height, channels: 3, background: { r: 10, g: 120, b: 200 } } });
}

describe("image-info", () => {
  it("answers format, size and colour of an image, and of nothing that the file does not say", async () => {
    const bytes = await draw(30, 20).png().toBuffer();
    expect(await runOne(imageInfo, file("plain.png", bytes))).toEqual({
      format: "png",
      width: 30,
      height: 20,
      storedWidth: 30,
      storedHeight: 20,
      orientation: 1,
      pages: 1,
      hasAlpha: false,
      channels: 3,
      depth: "uchar",
      colourSpace: "srgb",
      hasProfile: false,
      sizeBytes: bytes.length,
    });
  });

  it("takes a path alone, a path in an object, or the bytes, and is the module's default export too", async () => {
    const bytes = await draw(30, 20).jpeg().toBuffer();
    const path = file("forms.jpg", bytes);
    const info = await runOne(imageInfo, path);
    expect(await runOne(imageInfo, { path })).toEqual(info);
    expect(await runOne(imageInfo, { bytes })).toEqual(info);
    expect(imageInfoDefault).toBe(imageInfo);
  });

  it("answers the size as the picture is looked at, and as it is stored", async () => {
    const sideways = await draw(30, 20).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    expect(await runOne(imageInfo, { bytes: sideways })).toMatchObject({
      width: 20,
      height: 30,
      storedWidth: 30,
      storedHeight: 20,
      orientation: 6,
    });
  });

  it("names AVIF by its name, not by its container's", async () => {
    expect(await runOne(imageInfo, { bytes: await draw(16, 16).avif().toBuffer() })).toMatchObject({ format: "avif" });
  });

  it("sees alpha, and counts the frames of an animation", async () => {
    const clear = { r: 0, g: 0, b: 0, alpha: 0 };
    const frames = await sharp({ create: { width: 4, height: 12, channels: 4, background: clear, pageHeight: 4 } })
      .gif()
      .toBuffer();
    const info = await runOne(imageInfo, { bytes: frames });
    expect(info).toMatchObject({ format: "gif", hasAlpha: true, width: 4, height: 4 });
  });

  it("adds what the camera wrote", async () => {
    const exif = exifBytes({ image: [[0x0110, "Model 7"]], photo: [[0x9003, "2024:05:07 17:33:04"]] });
    const bytes = withExifSegment(await draw(8, 8).jpeg().toBuffer(), exif);
    const info = await runOne(imageInfo, { bytes });
    expect(info).toMatchObject({ cameraModel: "Model 7", takenAt: "2024-05-07T17:33:04", width: 8 });
  });

  it("does not fail an image for its broken EXIF", async () => {
    const jpeg = await draw(8, 8).jpeg().toBuffer();
    const good = exifBytes({ image: [[0x0110, "Model"]], photo: [[0x9003, "2024:05:07 17:33:04"]] });
    for (let at = 0; at < good.length; at += 3) {
      const bad = Buffer.from(good);
      bad[at] = 0xff;
      expect(await runOne(imageInfo, { bytes: withExifSegment(jpeg, bad) })).toMatchObject({ width: 8, height: 8 });
    }
    const garbage = withExifSegment(jpeg, Buffer.from("no EXIF at all"));
    expect(await runOne(imageInfo, { bytes: garbage })).toMatchObject({ width: 8, height: 8 });
  });

  it("finds the header of a JPEG behind a preface longer than what is read first", async () => {
    const jpeg = await draw(8, 8).jpeg().toBuffer();
    const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0xff, 0xff]), Buffer.alloc(65_533, "x")]);
    const bytes = Buffer.concat([jpeg.subarray(0, 2), ...Array<Buffer>(6).fill(comment), jpeg.subarray(2)]);
    const info = await runOne(imageInfo, file("preface.jpg", bytes));
    expect(info).toMatchObject({ width: 8, height: 8, sizeBytes: bytes.length });
  });

  it("answers for pictures that would be too large to decode", async () => {
    expect(await runOne(imageInfo, { bytes: hugePng(30_000, 30_000) })).toMatchObject({
      width: 30_000,
      height: 30_000,
    });
  });

  it("fails for good, by class, on what is no image or a damaged one", async () => {
    const jpeg = await draw(100, 100).jpeg().toBuffer();
    const codes: readonly (readonly [code: string, bytes: Uint8Array])[] = [
      ["FILE_EMPTY", Buffer.alloc(0)],
      ["NOT_AN_IMAGE", Buffer.from("a letter to my aunt")],
      ["IMAGE_CORRUPT", jpeg.subarray(0, 30)],
      ["UNSUPPORTED_FORMAT", Buffer.from("8BPS\0\x01\0\0\0\0\0\0")],
    ];
    for (const [code, bytes] of codes) {
      await expect(runOne(imageInfo, { bytes })).rejects.toMatchObject({ code, final: true });
      await expect(runOne(imageInfo, file("bad", bytes))).rejects.toMatchObject({ code, final: true });
    }
    await expect(runOne(imageInfo, file("missing.jpg"))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      final: true,
    });
  });

  it("refuses files above maxFileBytes without reading them", async () => {
    const path = file("big.jpg", Buffer.alloc(2000));
    const run = runOne(imageInfo, path, { maxFileBytes: 1999 });
    await expect(run).rejects.toMatchObject({ code: "FILE_TOO_LARGE", final: true });
  });

  it("reads nothing once it is cancelled", async () => {
    const reason = new Error("cancelled");
    const { outcomes } = await runTask(imageInfo, [file("missing.jpg")], { onCheck: (_, cancel) => cancel(reason) });
    expect(outcomes).toEqual([{ status: "failed", error: reason }]);
  });

  it("refuses wrong options in setup", async () => {
    const run = runOne(imageInfo, "x", { maxFileBytes: 0 });
    await expect(run).rejects.toThrow(
      "image-info: option maxFileBytes must be a whole number from 1 to 2147483647, not 0",
    );
  });
});
