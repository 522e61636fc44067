/**
 * The reading of an album, as a pipeline of four jobs that feed each other:
 *
 * ```
 * walk ── changed? ──▶ hash ── known content? ──▶ thumbnail and pixels ──▶ EXIF ──▶ embedding ──▶ catalog
 * ```
 *
 * Files fall out of it as early as they can: an unchanged one after a stat, a moved or touched one after its hash. What
 * comes out at the end, or fails on the way, is written down at once.
 */
import { lstatSync } from "node:fs";
import type { ImageInfo } from "@threadmill/workers/image-info";
import type { ImageItem, RawPixels } from "@threadmill/workers/thumbnail";
import type { TaskError } from "@threadmill/engine";
import type { Description, KnownContent } from "../catalog/records.js";
import { packVector } from "../duplicates/vectors.js";
import { countPhotos, walk, type FoundPhoto } from "../files/walk.js";
import { decoderVersion } from "./decoder.js";
import { systemReason } from "../errors.js";
import { failureOf, type Failure } from "./failure.js";
import { filesDone, type Run } from "./run.js";
import { AS_STAGE, stage } from "./stage.js";
import { TASKS } from "./tasks.js";
import { THUMBNAIL_OPTIONS, ThumbnailStore } from "./thumbnails.js";

/** A file whose content has to be described. */
interface HashedPhoto extends FoundPhoto {
  readonly sha256: string;
}
interface ShrunkPhoto extends HashedPhoto {
  readonly thumbnail: string;
  readonly pixels: RawPixels;
}
interface ExaminedPhoto extends ShrunkPhoto {
  readonly info: ImageInfo;
}

/** A second attempt for what may pass by itself: a busy drive, a decode that a loaded machine made slow. */
const RETRY = { attempts: 2 } as const;

/**
 * Files that are decoded at the same time have no more bytes than this together: hundreds of phone photos, or a few scans
 * of a hundred megabytes each. A count of threads alone would bound the one and not the other.
 */
const DECODING_BYTES = 256 * 1024 * 1024;

/** Reads all photos of the run's album. Answers when the last one is in the log. @throws the signal's reason. */
export async function readPhotos(run: Run): Promise<void> {
  const reading = new Reading(run);
  const { signal, root, indexFolder, meter, counts } = run;
  let total: number | undefined;
  const over = new AbortController();
  // Counted beside the work, so that there is an estimate long before the walk, which is held back, has seen them all.
  const counted = countPhotos(root, {
    signal: AbortSignal.any([signal, over.signal]),
    leaveOut: [indexFolder],
  }).then(
    (count) => {
      total = count;
    },
    () => {
      // It ends with the reading, if that fails; and what else can go wrong the walk will meet too, and report.
    },
  );
  meter.begin("reading", () => {
    const done = filesDone(counts);
    return { done, broken: counts.broken, total: total === undefined ? undefined : Math.max(total, done) };
  });
  try {
    for await (const photo of reading.embedded()) reading.finish(photo, photo.description);
    signal.throwIfAborted();
    await counted;
  } finally {
    over.abort();
  }
  run.log.flush();
}

/** The pipeline's state: what is on its way, and who waits for it. */
class Reading {
  readonly #run: Run;
  readonly #thumbnails: ThumbnailStore;
  readonly #decoder = decoderVersion();
  /** Files with the same content as one that is on its way, by its hash: described once, entered for all. */
  readonly #twins = new Map<string, FoundPhoto[]>();
  /** Twins of files that were given up: each is the one on its way now. */
  readonly #heirs: HashedPhoto[] = [];
  /** Called when a content has come to its end, or has an heir. */
  #onSettled = (): void => {};
  /** Hashes of contents that this run has found to be broken: their other files are no news, and not tried again. */
  readonly #brokenNow = new Set<string>();

  constructor(run: Run) {
    this.#run = run;
    this.#thumbnails = new ThumbnailStore(run.indexFolder);
  }

  /** Photos with their descriptions, ready for the catalog. */
  async *embedded(): AsyncGenerator<HashedPhoto & { readonly description: Description }, void, undefined> {
    const { engine, model, signal } = this.#run;
    const embedded = stage(this.#examined(), pixelsOf, (items) =>
      engine.run(TASKS.embed, items, { ...AS_STAGE, options: model.embed, signal }),
    );
    for await (const { subject, outcome } of embedded) {
      if (outcome.status === "failed") {
        this.#fail(subject, outcome.error);
        continue;
      }
      const { info, thumbnail } = subject;
      const camera = [info.cameraMake, info.cameraModel].filter((part) => part !== undefined).join(" ");
      const description: Description = {
        status: "described",
        width: info.width,
        height: info.height,
        format: info.format,
        takenAt: info.takenAt,
        camera: camera === "" ? undefined : camera,
        thumbnail,
        vector: packVector(outcome.value),
      };
      yield { ...subject, description };
    }
  }

  /** Enters a photo, and the twins that waited for it. */
  finish(photo: HashedPhoto, description: Description): void {
    const { log, counts } = this.#run;
    const twins = this.#twins.get(photo.sha256) ?? [];
    this.#twins.delete(photo.sha256);
    const described = description.status === "described";
    if (!described) this.#brokenNow.add(photo.sha256);
    for (const file of [photo, ...twins]) {
      log.add({ kind: "finished", file, sha256: photo.sha256, description });
      if (!described) counts.broken++;
      else if (file === photo) counts.described++;
      else counts.recognised++;
    }
    this.#onSettled();
  }

  /** Decoded once: the thumbnail is stored, the model's pixels go on. */
  async *#shrunk(): AsyncGenerator<ShrunkPhoto, void, undefined> {
    const { engine, model, signal } = this.#run;
    const pixels = { width: model.width, height: model.height };
    const options = { ...THUMBNAIL_OPTIONS, pixels };
    const shrunk = stage(this.#unknown(), fileOf, (items) =>
      engine.run(TASKS.thumbnail, items, {
        ...AS_STAGE,
        options,
        signal,
        retry: RETRY,
        weigh: bytesOf,
        maxInFlightBytes: DECODING_BYTES,
      }),
    );
    for await (const { subject, outcome } of shrunk) {
      const change = changeOf(subject);
      if (change !== undefined) {
        this.#giveUp(subject, change);
      } else if (outcome.status === "failed") {
        this.#fail(subject, outcome.error);
      } else if (outcome.value.pixels !== undefined) {
        const thumbnail = this.#thumbnails.pathOf(subject.sha256);
        this.#thumbnails.store(thumbnail, outcome.value.data);
        yield { ...subject, thumbnail, pixels: outcome.value.pixels };
      }
    }
  }

  async *#examined(): AsyncGenerator<ExaminedPhoto, void, undefined> {
    const { engine, signal } = this.#run;
    const examined = stage(this.#shrunk(), pathOf, (items) =>
      engine.run(TASKS.imageInfo, items, { ...AS_STAGE, signal, retry: RETRY }),
    );
    for await (const { subject, outcome } of examined) {
      const change = changeOf(subject);
      if (change !== undefined) this.#giveUp(subject, change);
      else if (outcome.status === "failed") this.#fail(subject, outcome.error);
      else yield { ...subject, info: outcome.value };
    }
  }

  /** Hashed files whose content nobody has described yet. */
  async *#unknown(): AsyncGenerator<HashedPhoto, void, undefined> {
    const { engine, catalog, recipeId, signal, counts, log } = this.#run;
    const hashed = stage(this.#changed(), pathOf, (items) =>
      engine.run(TASKS.contentHash, items, { ...AS_STAGE, signal, retry: RETRY }),
    );
    for await (const { subject, outcome } of hashed) {
      if (outcome.status === "failed") {
        this.#giveUp(subject, failureOf(outcome.error, subject.absolutePath));
        continue;
      }
      const { sha256 } = outcome.value;
      const twins = this.#twins.get(sha256);
      if (twins !== undefined) {
        twins.push(subject);
        continue;
      }
      log.settle(sha256);
      const known = catalog.recallContent(recipeId, sha256);
      if (known !== undefined && this.#enterKnown(subject, known, sha256)) {
        if (known.state === "described") counts.recognised++;
        continue;
      }
      this.#twins.set(sha256, []);
      yield { ...subject, sha256 };
    }
    // Until nothing is on its way that could leave an heir.
    while (this.#twins.size > 0) {
      const heir = this.#heirs.shift();
      if (heir !== undefined) yield heir;
      else await new Promise<void>((resolve) => (this.#onSettled = resolve));
    }
  }

  /** Files that a stat alone does not account for. */
  async *#changed(): AsyncGenerator<FoundPhoto, void, undefined> {
    const { root, indexFolder, signal, tally, catalog, recipeId, log, counts } = this.#run;
    for await (const found of walk(root, { signal, tally, leaveOut: [indexFolder] })) {
      if (found.kind === "problem") {
        log.add({ kind: "unusable", path: found.path, code: found.code, reason: found.reason });
        counts.broken++;
        continue;
      }
      const known = catalog.recallFile(recipeId, found);
      if (known === undefined || !this.#enterKnown(found, known)) yield found;
      else if (known.state === "described") counts.unchanged++;
    }
  }

  /** Enters a file whose content is known; false if its content has to be described (again). */
  #enterKnown(file: FoundPhoto, { contentId, state, fault, thumbnail }: KnownContent, sha256?: string): boolean {
    const { log, counts, retryFailed } = this.#run;
    if (state === "described") {
      // A thumbnail that someone has deleted is made again.
      if (thumbnail === undefined || !this.#thumbnails.has(thumbnail)) return false;
      log.add({ kind: "known", file: { ...file, contentId } });
      return true;
    }
    if (fault === undefined) return false;
    const remembered = sha256 === undefined || !this.#brokenNow.has(sha256);
    if (remembered && (fault.decoder !== this.#decoder || retryFailed)) return false;
    log.add({ kind: "known-broken", file: { ...file, contentId }, code: fault.code, reason: fault.reason, remembered });
    counts.broken++;
    return true;
  }

  #fail(photo: HashedPhoto, error: TaskError): void {
    const failure = failureOf(error, photo.absolutePath);
    if (!failure.lasting) {
      this.#giveUp(photo, failure);
      return;
    }
    this.finish(photo, { status: "broken", code: failure.code, reason: failure.reason, decoder: this.#decoder });
  }

  /** Reports a file, without remembering anything of it. The next one with the same content, if any, takes its place. */
  #giveUp(photo: FoundPhoto & { readonly sha256?: string }, { code, reason }: Failure): void {
    const { log, counts } = this.#run;
    log.add({ kind: "unusable", path: photo.path, code, reason });
    counts.broken++;
    const { sha256 } = photo;
    if (sha256 === undefined) return;
    const heir = this.#twins.get(sha256)?.shift();
    if (heir === undefined) this.#twins.delete(sha256);
    else this.#heirs.push({ ...heir, sha256 });
    this.#onSettled();
  }
}

function fileOf({ absolutePath, sizeBytes }: FoundPhoto): { path: string; sizeBytes: number } {
  return { path: absolutePath, sizeBytes };
}

/** The task's items may be paths and bytes as well; ours say their size too. */
function bytesOf(item: ImageItem): number {
  return typeof item === "object" && "sizeBytes" in item ? Number(item.sizeBytes) : 0;
}

function pathOf(photo: FoundPhoto): string {
  return photo.absolutePath;
}

function pixelsOf({ pixels: { data, width, height } }: ExaminedPhoto): {
  pixels: Uint8Array;
  width: number;
  height: number;
} {
  return { pixels: data, width, height };
}

/**
 * Why a file is no longer what the walk saw, if it is not: then what was read of it since its hash, a fault included, is
 * of another content, and would stay under that hash for ever.
 *
 * Synchronous for the reason that {@link ThumbnailStore.store} gives.
 */
function changeOf({ absolutePath, sizeBytes, modifiedNs }: FoundPhoto): Failure | undefined {
  try {
    const stats = lstatSync(absolutePath, { bigint: true });
    if (Number(stats.size) === sizeBytes && String(stats.mtimeNs) === modifiedNs) return undefined;
    return { code: "FILE_CHANGED", reason: "was written to while it was read", lasting: false };
  } catch (error) {
    return { code: "FILE_UNREADABLE", reason: systemReason(error), lasting: false };
  }
}
