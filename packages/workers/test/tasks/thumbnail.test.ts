import { execFileSync } from "node:child_process";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { imagePixels } from "../../src/tasks/embed/image-pixels.js";
import thumbnailDefault, { thumbnail, type ThumbnailOptions } from "../../src/tasks/thumbnail.js";
import { hugePng } from "./huge-png.js";
import { runOne, runTask } from "./run-task.js";
import { tempFolder } from "./temp-folder.js";

const file = tempFolder();

/** Red on the left half, blue on the right. */
function halves(width: number, height: number) {
  const blue = { create: { width: Math.ceil(width / 2), height, channels: 3, background: "blue" } } as const;
  return sharp({ create: { width, height, channels: 3, background: "red" } }).composite([
    { input: blue, left: Math.floor(width / 2), top: 0 },
  ]);
}

/** The pixel at a place given in parts of the picture, 0 to 1. */
function pixelAt(data: Uint8Array, width: number, height: number, x: number, y: number): number[] {
  const at = 3 * (Math.floor(y * height) * width + Math.floor(x * width));
  return [...data.subarray(at, at + 3)];
}

async function decode(data: Uint8Array) {
  const { data: rgb, info } = await sharp(data).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return {
    width: info.width,
    height: info.height,
    at: (x: number, y: number) => pixelAt(rgb, info.width, info.height, x, y),
  };
}

describe("thumbnail", () => {
  it("fits the picture into a box, in proportion, as WebP", async () => {
    const bytes = await halves(800, 400).jpeg().toBuffer();
    const result = await runOne(thumbnail, { bytes }, { width: 100 });
    expect(result).toMatchObject({ width: 100, height: 50, format: "webp", sourceWidth: 800, sourceHeight: 400 });
    expect(await sharp(result.data).metadata()).toMatchObject({ format: "webp", width: 100, height: 50 });
    expect(result).not.toHaveProperty("pixels");
  });

  it("bounds tall pictures by the same box", async () => {
    const bytes = await halves(40, 1200).png().toBuffer();
    expect(await runOne(thumbnail, { bytes }, { width: 120 })).toMatchObject({ width: 4, height: 120 });
  });

  it("keeps nothing of a picture once it is answered for, and neither does embed's decode", async () => {
    // 768 KiB decoded, whatever the thumbnail's size.
    const bytes = await halves(512, 512).png().toBuffer();
    const ctx = { throwIfCancelled: () => {}, cancelled: false };
    const size = { width: 512, height: 512, fit: "fill", limitInputPixels: 1e6, timeoutSeconds: 30 } as const;
    const work = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        await runOne(thumbnail, { bytes }, { width: 32, pixels: { width: 32 } });
        await imagePixels(sharp, { bytes }, { ...size, maxFileBytes: 1e6, followSymlinks: false }, ctx);
      }
    };
    await work(30);
    const before = process.memoryUsage.rss();
    await work(150);
    // Each that was kept would be 1.5 MiB: 225 in all. What is not kept may wait to be collected.
    expect(process.memoryUsage.rss() - before).toBeLessThan(120 * 2 ** 20);
  });

  it("takes a path alone, a path in an object, or bytes, and is the module's default export too", async () => {
    const bytes = await halves(40, 20).jpeg().toBuffer();
    const path = file("forms.jpg", bytes);
    const result = await runOne(thumbnail, path);
    expect(await runOne(thumbnail, { path })).toEqual(result);
    expect(await runOne(thumbnail, { bytes })).toEqual(result);
    expect(thumbnailDefault).toBe(thumbnail);
  });

  it("turns the picture upright", async () => {
    // Stored with red left; a quarter turn clockwise brings red to the top.
    const bytes = await halves(80, 40).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const result = await runOne(thumbnail, { bytes }, { width: 64, format: "jpeg", pixels: { width: 8 } });
    expect(result).toMatchObject({ width: 32, height: 64, sourceWidth: 40, sourceHeight: 80 });
    const picture = await decode(result.data);
    expect(picture.at(0.5, 0.2)[0]).toBeGreaterThan(200);
    expect(picture.at(0.5, 0.8)[2]).toBeGreaterThan(200);
    expect(pixelAt(result.pixels!.data, 8, 8, 0.5, 0.1)[0]).toBeGreaterThan(200);
    expect(pixelAt(result.pixels!.data, 8, 8, 0.5, 0.9)[2]).toBeGreaterThan(200);
  });

  it("writes WebP, JPEG and AVIF", async () => {
    const bytes = await halves(80, 40).png().toBuffer();
    for (const [format, written] of [
      ["webp", "webp"],
      ["jpeg", "jpeg"],
      ["avif", "heif"],
    ] as const) {
      const result = await runOne(thumbnail, { bytes }, { width: 40, format });
      expect(result.format).toBe(format);
      expect((await sharp(result.data).metadata()).format).toBe(written);
    }
  });

  it("cuts, borders or stretches as asked", async () => {
    const bytes = await halves(80, 40).png().toBuffer();
    const box = { width: 20, height: 20, format: "jpeg", quality: 100 } as const;
    const cut = await decode((await runOne(thumbnail, { bytes }, { ...box, fit: "cover" })).data);
    const bordered = await decode(
      (await runOne(thumbnail, { bytes }, { ...box, fit: "contain", background: "#00ff00" })).data,
    );
    const stretched = await decode((await runOne(thumbnail, { bytes }, { ...box, fit: "fill" })).data);
    for (const picture of [cut, bordered, stretched]) expect([picture.width, picture.height]).toEqual([20, 20]);
    expect(bordered.at(0.5, 0.05)[1]).toBeGreaterThan(200);
    expect(cut.at(0.2, 0.05)[0]).toBeGreaterThan(200);
    expect(stretched.at(0.2, 0.05)[0]).toBeGreaterThan(200);
  });

  it("does not enlarge small pictures unless told to", async () => {
    const bytes = await halves(10, 10).png().toBuffer();
    expect(await runOne(thumbnail, { bytes }, { width: 40 })).toMatchObject({ width: 10, height: 10 });
    expect(await runOne(thumbnail, { bytes }, { width: 40, enlarge: true })).toMatchObject({ width: 40, height: 40 });
  });

  it("keeps transparency where the format has it, and puts the background behind it where not", async () => {
    const clear = { r: 0, g: 0, b: 0, alpha: 0 };
    const bytes = await sharp({ create: { width: 10, height: 10, channels: 4, background: clear } })
      .png()
      .toBuffer();
    const webp = await runOne(thumbnail, { bytes });
    expect((await sharp(webp.data).metadata()).hasAlpha).toBe(true);
    const jpeg = await runOne(thumbnail, { bytes }, { format: "jpeg", background: "#ff0000" });
    expect((await decode(jpeg.data)).at(0.5, 0.5)[0]).toBeGreaterThan(250);
  });

  it("hands its bytes over in memory of their own", async () => {
    const bytes = await halves(80, 40).png().toBuffer();
    const { outcomes, transferred } = await runTask(thumbnail, [{ bytes }], { options: { pixels: { width: 8 } } });
    const value = outcomes[0]?.status === "completed" ? outcomes[0].value : undefined;
    expect(transferred).toEqual([value?.data, value?.pixels?.data]);
    for (const data of [value?.data, value?.pixels?.data]) {
      expect(data).toBeInstanceOf(Uint8Array);
      expect(data?.buffer.byteLength).toBe(data?.byteLength);
      const buffer = data?.buffer as ArrayBuffer;
      expect(() => structuredClone(buffer, { transfer: [buffer] })).not.toThrow();
    }
  });
});

describe("thumbnail with pixels", () => {
  it("adds raw red, green and blue from the same decode, stretched to the size asked for", async () => {
    const bytes = await halves(900, 300).png().toBuffer();
    const { pixels } = await runOne(thumbnail, { bytes }, { width: 100, pixels: { width: 6, height: 4 } });
    expect(pixels).toMatchObject({ width: 6, height: 4 });
    expect(pixels?.data.byteLength).toBe(6 * 4 * 3);
    // Lanczos swings by a step or two beside an edge.
    const [left, right] = [0.1, 0.9].map((x) => pixelAt(pixels!.data, 6, 4, x, 0.5));
    expect(left?.map((value) => Math.round(value / 10))).toEqual([25, 0, 0]);
    expect(right?.map((value) => Math.round(value / 10))).toEqual([0, 0, 25]);
  });

  it("gives the same pixels whatever the thumbnail looks like", async () => {
    const bytes = await halves(900, 700).jpeg().toBuffer();
    const pixels = async (options: ThumbnailOptions) =>
      (await runOne(thumbnail, { bytes }, { ...options, pixels: { width: 64 } })).pixels;
    const expected = await pixels({});
    expect(await pixels({ width: 64, format: "jpeg", quality: 10, background: "#123456" })).toEqual(expected);
    expect(await pixels({ width: 512, fit: "contain", format: "avif" })).toEqual(expected);
    expect(await pixels({ width: 300, fit: "cover" })).toEqual(expected);
  });

  it("serves a thumbnail of more than 512 pixels at its full size", async () => {
    const bytes = await halves(1600, 800).jpeg().toBuffer();
    const options = { width: 1200, pixels: { width: 8 } };
    expect(await runOne(thumbnail, { bytes }, options)).toMatchObject({
      width: 1200,
      height: 600,
      pixels: { width: 8 },
    });
    const cover = { width: 700, height: 700, fit: "cover", pixels: { width: 8 } } as const;
    expect(await runOne(thumbnail, { bytes }, cover)).toMatchObject({ width: 700, height: 700 });
  });

  it("makes three 8-bit channels of grey, 16-bit and transparent pictures", async () => {
    const grey = await halves(40, 40).greyscale().png().toBuffer();
    const deep = await halves(40, 40).toColourspace("rgb16").png().toBuffer();
    const clear = { r: 200, g: 0, b: 0, alpha: 0 };
    const transparent = await sharp({ create: { width: 9, height: 9, channels: 4, background: clear } })
      .png()
      .toBuffer();
    for (const bytes of [grey, deep, transparent]) {
      const { pixels } = await runOne(thumbnail, { bytes }, { pixels: { width: 4 } });
      expect(pixels?.data.byteLength).toBe(4 * 4 * 3);
    }
    const { pixels } = await runOne(thumbnail, { bytes: transparent }, { pixels: { width: 4 } });
    expect(new Set(pixels?.data)).toEqual(new Set([128]));
  });
});

describe("thumbnail of bad input", () => {
  it("fails for good, by class", async () => {
    const jpeg = await halves(200, 200).jpeg().toBuffer();
    const png = await halves(200, 200).png().toBuffer();
    const codes: readonly (readonly [code: string, bytes: Uint8Array])[] = [
      ["FILE_EMPTY", Buffer.alloc(0)],
      ["NOT_AN_IMAGE", Buffer.from("a letter to my aunt")],
      ["IMAGE_CORRUPT", jpeg.subarray(0, jpeg.length / 2)],
      ["IMAGE_CORRUPT", png.subarray(0, 100)],
      ["IMAGE_CORRUPT", jpeg.subarray(0, 20)],
    ];
    for (const [code, bytes] of codes) {
      await expect(runOne(thumbnail, { bytes })).rejects.toMatchObject({ name: "ItemError", code, final: true });
    }
    await expect(runOne(thumbnail, file("missing"))).rejects.toMatchObject({ code: "FILE_UNREADABLE", final: true });
  });

  it("names the format that it cannot read", async () => {
    const heic = Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic".padEnd(100, "\0"), "latin1");
    await expect(runOne(thumbnail, file("phone.heic", heic))).rejects.toMatchObject({
      code: "UNSUPPORTED_FORMAT",
      final: true,
      message: `${file("phone.heic")}: HEIC is not supported by this build of sharp`,
    });
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    );
    await expect(runOne(thumbnail, { bytes: svg })).rejects.toThrow("SVG is not supported by this build of sharp");
  });

  it("fails only the bad item of several", async () => {
    const bytes = await halves(20, 20).png().toBuffer();
    const { outcomes } = await runTask(thumbnail, [{ bytes }, { bytes: bytes.subarray(0, 60) }, { bytes }]);
    expect(outcomes.map(({ status }) => status)).toEqual(["completed", "failed", "completed"]);
  });

  it("refuses a small file of many pixels by its header", async () => {
    const bytes = hugePng(8000, 8000);
    await expect(runOne(thumbnail, { bytes })).rejects.toMatchObject({
      code: "IMAGE_TOO_LARGE",
      final: true,
      message: "the image has 8000 × 8000 = 64000000 pixels; limitInputPixels is 50000000",
    });
    const small = await halves(20, 20).png().toBuffer();
    await expect(runOne(thumbnail, { bytes: small }, { limitInputPixels: 399 })).rejects.toMatchObject({
      code: "IMAGE_TOO_LARGE",
    });
  });

  it("makes what it can of a truncated picture only when told to", async () => {
    const jpeg = await halves(200, 200).jpeg().toBuffer();
    const bytes = jpeg.subarray(0, jpeg.length * 0.7);
    expect(await runOne(thumbnail, { bytes }, { failOn: "none" })).toMatchObject({ width: 200 });
  });

  it.skipIf(process.platform === "win32")(
    "refuses a named pipe at once instead of holding a thread of libuv (skipped on Windows: it has none)",
    async () => {
      execFileSync("mkfifo", [file("pipe.jpg")]);
      await expect(runOne(thumbnail, file("pipe.jpg"))).rejects.toMatchObject({ code: "NOT_A_FILE", final: true });
    },
  );

  it("refuses items that are neither a path nor bytes", async () => {
    for (const item of [undefined, 7, {}, { bytes: "text" }, { path: 3 }, { path: "a\0b" }, ""]) {
      await expect(runOne(thumbnail, item as string)).rejects.toMatchObject({ code: "INVALID_ITEM", final: true });
    }
  });

  it("passes a cancel on as it is, before the decode and after it", async () => {
    const bytes = await halves(20, 20).png().toBuffer();
    const reason = new Error("cancelled");
    for (const last of [1, 2, 3]) {
      const { outcomes } = await runTask(thumbnail, [{ bytes }], {
        options: { pixels: { width: 8 } },
        onCheck: (check, cancel) => {
          if (check === last) cancel(reason);
        },
      });
      expect(outcomes).toEqual([{ status: "failed", error: reason }]);
    }
  });
});

describe("the options of thumbnail", () => {
  const refused: readonly (readonly [options: object, text: string])[] = [
    [{ width: 0 }, "thumbnail: option width must be a whole number from 1 to 4096, not 0"],
    [{ height: 1.5 }, "thumbnail: option height must be a whole number from 1 to 4096, not 1.5"],
    [{ fit: "stretch" }, 'thumbnail: option fit must be one of "inside", "cover", "contain", "fill", not "stretch"'],
    [{ format: "png" }, 'thumbnail: option format must be one of "webp", "jpeg", "avif", not "png"'],
    [{ quality: 101 }, "thumbnail: option quality must be a whole number from 1 to 100, not 101"],
    [{ background: "no colour" }, 'thumbnail: option background must be a colour as in CSS, not "no colour"'],
    [{ pixels: {} }, "thumbnail: pixels: option width must be a whole number from 1 to 512, not undefined"],
    [{ pixels: { width: 9, heigth: 9 } }, "thumbnail: pixels: unknown option heigth; the options are width, height"],
    [{ limitInputPixels: "many" }, "thumbnail: option limitInputPixels must be a whole number from 1 to 2147483647"],
    [{ timeoutSeconds: 0 }, "thumbnail: option timeoutSeconds must be a whole number from 1 to 3600, not 0"],
    [{ size: 5 }, "thumbnail: unknown option size"],
  ];

  it("are refused in setup by name, value and range", async () => {
    for (const [options, text] of refused) {
      const setup = runTask(thumbnail, [], { options });
      await expect(setup).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(setup).rejects.toThrow(text);
    }
  });
});
