import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { sniffFormat } from "../../src/tasks/image-format.js";
import { exifBytes } from "./exif-bytes.js";

const latin1 = (text: string) => Buffer.from(text.padEnd(64, "\0"), "latin1");
const ftyp = (...brands: string[]) =>
  latin1(`\0\0\0${String.fromCharCode(12 + 4 * brands.length)}ftyp${brands[0]}\0\0\0\0${brands.slice(1).join("")}`);

describe("sniffFormat", () => {
  it("knows what sharp writes", async () => {
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } });
    const expected = { jpeg: "JPEG", png: "PNG", webp: "WebP", gif: "GIF", tiff: "TIFF", avif: "AVIF" } as const;
    for (const [format, name] of Object.entries(expected)) {
      expect(sniffFormat(await picture.toFormat(format as "jpeg").toBuffer())?.name).toBe(name);
    }
  });

  it("tells by name what sharp cannot read", () => {
    const names: readonly (readonly [name: string, bytes: Uint8Array])[] = [
      ["HEIC", ftyp("heic", "mif1")],
      ["HEIC", ftyp("mif1", "mif1", "heic")],
      ["HEIF", ftyp("mif1", "mif1")],
      ["AVIF", ftyp("mif1", "avif")],
      ["Camera raw (CR3)", ftyp("crx ", "isom")],
      ["JPEG XL", latin1("\xff\x0a\xfa")],
      ["JPEG XL", latin1("\0\0\0\x0cJXL \r\n\x87\n")],
      ["JPEG 2000", latin1("\0\0\0\x0cjP  \r\n\x87\n")],
      ["Photoshop (PSD)", latin1("8BPS\0\x01")],
      ["BMP", latin1("BM\x8a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0")],
      ["ICO", latin1("\0\0\x01\0\x01\0\x10\x10")],
      ["PDF", latin1("%PDF-1.7")],
      ["SVG", latin1('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">')],
      ["PCX", latin1("\n\x05\x01\x08")],
      ["PNM", latin1("P6 10 10 255\n")],
      ["OpenEXR", latin1("v/1\x01")],
      ["Camera raw (CR2)", latin1("II*\0\x10\0\0\0CR\x02\0")],
      ["Camera raw (RW2)", latin1("IIU\0\x18\0\0\0")],
      ["Camera raw (RAF)", latin1("FUJIFILMCCD-RAW 0201")],
    ];
    for (const [name, bytes] of names) expect(sniffFormat(bytes)?.name).toBe(name);
  });

  it("sees that a TIFF is a camera's raw file, whose first picture is only a preview", () => {
    const preview = [0x00fe, { shorts: [1] }] as const;
    const others = [0x014a, { shorts: [8] }] as const;
    expect(sniffFormat(exifBytes({ image: [preview, [0x010f, "NIKON"], others] }))?.name).toBe("Camera raw");
    expect(sniffFormat(exifBytes({ image: [[0x0106, { shorts: [32803] }]] }))?.name).toBe("Camera raw");
    expect(sniffFormat(exifBytes({ image: [[0xc612, { shorts: [1] }]] }))?.name).toBe("Camera raw (DNG)");
    expect(sniffFormat(exifBytes({ image: [[0x010f, "Scanner"]] }))?.name).toBe("TIFF");
  });

  it("knows a PNG that was damaged by a transfer as text", () => {
    expect(sniffFormat(latin1("\x89PNG\r\r\x1a\r\0\0\0\rIHDR"))?.name).toBe("PNG");
    expect(sniffFormat(latin1("\x89PNG\n\x1a\n\0\0\0\rIHDR"))?.name).toBe("PNG");
  });

  it("knows films and archives as no images", () => {
    expect(sniffFormat(ftyp("isom", "avc1"))?.notAnImage).toBe(true);
    expect(sniffFormat(latin1("PK\x03\x04"))?.notAnImage).toBe(true);
  });

  it("answers undefined for what it does not know", () => {
    for (const text of ["", "B", "BM", "hello, world", "#!/bin/sh", "<html><body>", "\0\0\0\0ftxp"]) {
      expect(sniffFormat(Buffer.from(text, "latin1"))).toBeUndefined();
    }
  });
});
