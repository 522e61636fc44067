import { describe, expect, it } from "vitest";
import { imageError } from "../../src/tasks/image-error.js";

const PNG = { name: "PNG", loader: "png" } as const;
const TIFF = { name: "TIFF", loader: "tiff" } as const;

describe("imageError", () => {
  it("does not take the words of another loader, which has failed at the same moment, for this picture's", () => {
    const mixed = new Error(
      "Input buffer has corrupt header: VipsJpeg: Unsupported JPEG data precision 12\nvipspng: libpng read error",
    );
    expect(imageError(mixed, "a.png", PNG)).toMatchObject({
      code: "IMAGE_CORRUPT",
      message: "a.png is damaged or cut short (PNG: libpng read error)",
    });
    expect(imageError(new Error("VipsJpeg: out of memory"), "a.png", PNG)).toMatchObject({
      code: "IMAGE_CORRUPT",
      message: "a.png is damaged or cut short (PNG: its header cannot be read)",
    });
  });

  it("takes its own loader's words, and those of nobody in particular", () => {
    const zstd = new Error("tiff2vips: ZSTD compression support is not configured\nread error");
    expect(imageError(zstd, "a.tif", TIFF)).toMatchObject({
      code: "UNSUPPORTED_FORMAT",
      message:
        "a.tif: this kind of TIFF is not supported by this build of sharp (ZSTD compression support is not configured; read error)",
    });
  });
});
