import { describe, expect, it } from "vitest";
import { readExif } from "../../src/tasks/exif.js";
import { exifBytes } from "./exif-bytes.js";

const takenAt = (date: string) => readExif(exifBytes({ photo: [[0x9003, date]] }))?.takenAt;

describe("readExif", () => {
  it("gives the camera's own time, and no zone that the file does not name", () => {
    expect(takenAt("2024:05:07 17:33:04")).toBe("2024-05-07T17:33:04");
    expect(takenAt("2024-05-07T17:33:04")).toBe("2024-05-07T17:33:04");
  });

  it("adds the fraction of the second and the offset where the file has them", () => {
    const exif = exifBytes({
      photo: [
        [0x9003, "2024:05:07 17:33:04"],
        [0x9291, "046"],
        [0x9011, "+08:00"],
      ],
    });
    expect(readExif(exif)).toEqual({ takenAt: "2024-05-07T17:33:04.046+08:00", takenAtTag: "DateTimeOriginal" });
  });

  it("does not count on from a date that does not exist", () => {
    for (const date of ["0000:00:00 00:00:00", "2021:13:01 10:00:00", "2021:02:31 10:00:00", "2021:05:05 25:00:00"]) {
      expect(takenAt(date)).toBeUndefined();
    }
    expect(takenAt("    :  :     :  :  ")).toBeUndefined();
    expect(takenAt("yesterday")).toBeUndefined();
  });

  it("ignores an offset that is none", () => {
    const exif = exifBytes({
      photo: [
        [0x9003, "2024:05:07 17:33:04"],
        [0x9011, "Berlin"],
      ],
    });
    expect(readExif(exif)?.takenAt).toBe("2024-05-07T17:33:04");
  });

  it("prefers the original time, then the time of digitising, then that of the last change, and says which", () => {
    const image = [[0x0132, "2003:03:03 03:03:03"]] as const;
    const digitised = [0x9004, "2002:02:02 02:02:02"] as const;
    const original = [0x9003, "2001:01:01 01:01:01"] as const;
    expect(readExif(exifBytes({ image, photo: [original, digitised] }))?.takenAtTag).toBe("DateTimeOriginal");
    expect(readExif(exifBytes({ image, photo: [digitised] }))?.takenAtTag).toBe("DateTimeDigitized");
    expect(readExif(exifBytes({ image }))).toEqual({ takenAt: "2003-03-03T03:03:03", takenAtTag: "DateTime" });
  });

  it("reads camera, lens and exposure", () => {
    const exif = exifBytes({
      image: [
        [0x010f, "Kamera GmbH "],
        [0x0110, "Größe 7"],
      ],
      photo: [
        [0xa434, "50mm f/1.8"],
        [0x829a, { rationals: [[1, 200]] }],
        [0x829d, { rationals: [[28, 10]] }],
        [0x8827, { shorts: [400] }],
        [0x920a, { rationals: [[50, 1]] }],
        [0xa405, { shorts: [75] }],
        [0x9209, { shorts: [25] }],
      ],
    });
    expect(readExif(exif)).toEqual({
      cameraMake: "Kamera GmbH",
      cameraModel: "Größe 7",
      lensModel: "50mm f/1.8",
      exposureSeconds: 0.005,
      fNumber: 2.8,
      iso: 400,
      focalLengthMm: 50,
      focalLength35Mm: 75,
      flashFired: true,
    });
  });

  it("reads names that were written as plain bytes", () => {
    const exif = exifBytes({ image: [[0x0110, "Model 7"]] });
    // The type of the first tag.
    exif.writeUInt16LE(7, 12);
    expect(readExif(exif)).toEqual({ cameraModel: "Model 7" });
  });

  it("leaves out numbers that are none", () => {
    const exif = exifBytes({
      photo: [
        [0x829a, { rationals: [[0, 0]] }],
        [0x829d, { rationals: [[1, 0]] }],
      ],
    });
    expect(readExif(exif)).toEqual({});
  });

  it("gives places in degrees, south and west negative", () => {
    const gps = (latitude: number) =>
      exifBytes({
        gps: [
          [1, "S"],
          [
            2,
            {
              rationals: [
                [latitude, 1],
                [30, 1],
                [36, 1],
              ],
            },
          ],
          [3, "W"],
          [
            4,
            {
              rationals: [
                [70, 1],
                [15, 1],
                [0, 1],
              ],
            },
          ],
          [6, { rationals: [[1234, 10]] }],
        ],
      });
    expect(readExif(gps(33))?.place).toEqual({ latitude: -33.51, longitude: -70.25, altitudeMetres: 123.4 });
    // Nowhere on earth.
    expect(readExif(gps(133))?.place).toBeUndefined();
  });

  it("reads EXIF with its prefix and without", () => {
    const exif = exifBytes({ image: [[0x0110, "X"]] });
    expect(readExif(Buffer.concat([Buffer.from("Exif\0\0"), exif]))).toEqual(readExif(exif));
  });

  it("answers undefined for bytes that are no EXIF", () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from("II"), Buffer.from("hello, world"), Buffer.alloc(100)]) {
      expect(readExif(bytes)).toBeUndefined();
    }
  });

  it("reads 5,000 tags that each claim four billion values without making any of them", () => {
    // exif-reader 2.0.3 ends the process on these 65 KB.
    const bytes = Buffer.alloc(65_000);
    bytes.write("II*\0", "latin1");
    bytes.writeUInt32LE(8, 4);
    bytes.writeUInt16LE(5_000, 8);
    for (let i = 0; i < 5_000; i++) {
      bytes.writeUInt16LE(1 + i, 10 + 12 * i);
      bytes.writeUInt16LE(1, 12 + 12 * i);
      bytes.writeUInt32LE(0xffffffff, 14 + 12 * i);
    }
    expect(readExif(bytes)).toEqual({});
  });

  it("never throws, whatever byte is changed", () => {
    const good = exifBytes({
      image: [[0x0110, "Model"]],
      photo: [
        [0x9003, "2024:05:07 17:33:04"],
        [0x829a, { rationals: [[1, 200]] }],
      ],
      gps: [
        [1, "N"],
        [
          2,
          {
            rationals: [
              [1, 1],
              [2, 1],
              [3, 1],
            ],
          },
        ],
      ],
    });
    for (let at = 0; at < good.length; at++) {
      for (const value of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
        const bad = Buffer.from(good);
        bad[at] = value;
        expect(() => readExif(bad)).not.toThrow();
        expect(() => readExif(bad.subarray(0, at))).not.toThrow();
      }
    }
  });
});
