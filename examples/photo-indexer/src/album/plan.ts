/**
 * What the sample album holds, decided before anything is drawn. The plan is pure: a seed goes in, and out come the
 * pictures to draw, the files to break, and the truth that a test can hold the indexer's findings against.
 */
import { createRandom, type Random } from "./random.js";
import { SCENES, type Scene } from "./scenes.js";

/** How a file differs from the picture that it shows. */
export type FileKind = "original" | "copy" | "reencoded" | "resized" | "cropped" | "rotated";

/** One file to write. Paths are relative to the album, with `/` between folders. */
export interface PlannedFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly format: "jpeg" | "png" | "webp";
  readonly quality: number;
  /** Of the original's width and height. */
  readonly scale: number;
  /** Share of the width and of the height that a crop keeps. */
  readonly keep: number;
  /** EXIF orientation: 1 is upright; for the others the pixels are stored turned, as cameras do. */
  readonly orientation: 1 | 3 | 6 | 8;
  /** EXIF date as `YYYY:MM:DD HH:MM:SS`; undefined writes no EXIF at all. */
  readonly takenAt: string | undefined;
}

/** A picture and all files that show it: drawn once, by one item of the drawing job. */
export interface Plate {
  readonly seed: number;
  readonly scene: Scene;
  readonly width: number;
  readonly height: number;
  readonly files: readonly [PlannedFile, ...PlannedFile[]];
}

/** A file that no decoder reads, and what is wrong with it. */
export interface BrokenFile {
  readonly path: string;
  readonly fault: "truncated" | "empty" | "text" | "heic" | "bmp";
  /** The file that a truncated one is the beginning of. */
  readonly source?: string;
}

/** The truth about the album: what a perfect indexer would report. */
export interface SamplePlan {
  readonly version: number;
  readonly seed: number;
  readonly plates: readonly Plate[];
  readonly broken: readonly BrokenFile[];
  /** Files that are no pictures and should be passed over in silence. */
  readonly others: readonly string[];
}

/** Raised whenever the drawing changes, so that an album of an older version is drawn anew. */
const SAMPLE_VERSION = 1;
const DEFAULT_SEED = 20_240_607;
const DEFAULT_PLATES = 172;

type PictureSize = readonly [width: number, height: number];

const FOLDERS = [
  "2021-07 Coast",
  "2022-01 Alps",
  "2023-05 City/day 1",
  "2023-05 City/day 2",
  "2024-04 Garden",
  "2025-08 Été",
] as const;
const SIZES: readonly [PictureSize, ...PictureSize[]] = [
  [1200, 800],
  [800, 1200],
  [1280, 854],
  [1600, 1066],
  [1024, 768],
  [900, 900],
];

/** How many pictures get a second file of each kind; the rest stay alone. Scaled down for smaller albums. */
const PLANTED: readonly (readonly [FileKind, number])[] = [
  ["copy", 18],
  ["reencoded", 14],
  ["resized", 12],
  ["cropped", 8],
  ["rotated", 6],
];

/** Names that have broken indexers: two paths that flatten to one, two files that differ by suffix only, HTML. */
const AWKWARD_NAMES = ["a/b.jpg", "a_b.jpg", "cat.jpg", "cat.png", "Tom & Ana's picnic #1 100%.jpg"] as const;

/** A smaller album, or another one. */
export interface SampleSize {
  /** How many different pictures. Default 172, which makes about 240 files. */
  readonly plates?: number;
  readonly seed?: number;
  /** Size of the pictures, as a share of the usual 800 to 1600 pixels. Default 1. */
  readonly scale?: number;
}

export function planSample(size: SampleSize = {}): SamplePlan {
  const { plates = DEFAULT_PLATES, seed = DEFAULT_SEED, scale = 1 } = size;
  const random = createRandom(seed);
  const kinds = plantedKinds(plates);
  const drawn = Array.from({ length: plates }, (_, index) => planPlate(index, kinds[index], scale, random));
  return {
    version: SAMPLE_VERSION,
    seed,
    plates: drawn,
    broken: planBroken(drawn),
    others: ["notes.txt", ".hidden/secret.jpg"],
  };
}

/** Which planted kind each picture gets; spread over the album by a fixed stride. */
function plantedKinds(plates: number): (FileKind | undefined)[] {
  const kinds: (FileKind | undefined)[] = Array.from({ length: plates });
  let at = AWKWARD_NAMES.length;
  for (const [kind, count] of PLANTED) {
    const wanted = Math.max(1, Math.round((count * plates) / DEFAULT_PLATES));
    for (let i = 0; i < wanted && at < plates; i++, at += 2) kinds[at] = kind;
  }
  return kinds;
}

function planPlate(index: number, kind: FileKind | undefined, scale: number, random: Random): Plate {
  const [width, height] = random.pick(SIZES).map((side) => 2 * Math.round((side * scale) / 2)) as [number, number];
  const scene = random.pick(SCENES);
  const path = AWKWARD_NAMES[index] ?? `${random.pick(FOLDERS)}/IMG_${String(index + 1).padStart(4, "0")}.jpg`;
  const original: PlannedFile = {
    path,
    kind: "original",
    format: path.endsWith(".png") ? "png" : "jpeg",
    quality: random.whole(82, 92),
    scale: 1,
    keep: 1,
    orientation: 1,
    takenAt: random.chance(0.7) ? exifDate(random) : undefined,
  };
  const variant = kind === undefined ? [] : [planVariant(original, kind, random)];
  return { seed: random.whole(1, 2 ** 30), scene, width, height, files: [original, ...variant] };
}

function planVariant(original: PlannedFile, kind: FileKind, random: Random): PlannedFile {
  const name = original.path.slice(original.path.lastIndexOf("/") + 1, -".jpg".length);
  const variant = { ...original, kind };
  switch (kind) {
    case "original":
    case "copy":
      return {
        ...variant,
        path: random.chance(0.5) ? `Backup/${name}.jpg` : original.path.replace(".jpg", " (copy).jpg"),
      };
    case "reencoded":
      return random.chance(0.3)
        ? { ...variant, path: `Web/${name}.webp`, format: "webp", quality: 60, takenAt: undefined }
        : { ...variant, path: `Sent/${name}.jpg`, quality: random.whole(45, 70), takenAt: undefined };
    case "resized":
      return {
        ...variant,
        path: `Web/${name}_small.jpg`,
        scale: random.between(0.3, 0.6),
        quality: 80,
        takenAt: undefined,
      };
    case "cropped":
      return { ...variant, path: `Edits/${name} cropped.jpg`, keep: random.between(0.95, 0.98), quality: 90 };
    case "rotated":
      return { ...variant, path: `Phone/${name}_turned.jpg`, orientation: random.pick([3, 6, 8]), quality: 88 };
  }
}

function planBroken(plates: readonly Plate[]): BrokenFile[] {
  const sources = plates.slice(AWKWARD_NAMES.length).map((plate) => plate.files[0].path);
  const truncated = [0, 1, 2, 3].flatMap((i): BrokenFile[] => {
    const source = sources[i * 3];
    return source === undefined ? [] : [{ path: `Broken/half of ${i + 1}.jpg`, fault: "truncated", source }];
  });
  return [
    ...truncated,
    { path: "Broken/nothing.jpg", fault: "empty" },
    { path: "2022-01 Alps/nothing.png", fault: "empty" },
    { path: "Broken/letter.jpg", fault: "text" },
    { path: "2024-04 Garden/readme.png", fault: "text" },
    { path: "Phone/IMG_9001.heic", fault: "heic" },
    { path: "Phone/IMG_9002.jpg", fault: "heic" },
    { path: "Scans/page 1.bmp", fault: "bmp" },
  ];
}

function exifDate(random: Random): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${random.whole(2019, 2025)}:${two(random.whole(1, 12))}:${two(random.whole(1, 28))}`;
  return `${day} ${two(random.whole(6, 21))}:${two(random.whole(0, 59))}:${two(random.whole(0, 59))}`;
}
