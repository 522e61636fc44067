import { once } from "node:events";
import { join } from "node:path";
import type { Engine } from "@threadmill/engine";
import { Catalog } from "./catalog/catalog.js";
import { brokenOfRun, duplicateTotals, sizeOfRun } from "./catalog/published.js";
import { RunLog } from "./catalog/run-log.js";
import { IndexerError, messageOf, systemCode } from "./errors.js";
import { checkAlbumFolder } from "./files/album-folder.js";
import { defaultIndexFolder, realIndexFolder } from "./files/index-folder.js";
import { emptyTally } from "./files/walk.js";
import { closeLabelCache, openLabelCache, type CacheSettings, type LabelCache } from "./labels/label-cache.js";
import { labelRun } from "./labels/label-run.js";
import { VOCABULARY, type Vocabulary } from "./labels/vocabulary.js";
import { defaultModel, type Model } from "./model/model.js";
import { findNearDuplicates } from "./pipeline/find-near-duplicates.js";
import { ProgressMeter } from "./pipeline/progress-meter.js";
import { checkVanished, publish, sweep } from "./pipeline/publish.js";
import { readPhotos } from "./pipeline/read-photos.js";
import { contactSheetPath, indexJsonPath, repairRenderings } from "./pipeline/renderings.js";
import type { Run } from "./pipeline/run.js";
import { TASKS } from "./pipeline/tasks.js";
import { THUMBNAIL_OPTIONS } from "./pipeline/thumbnails.js";
import type { ProgressListener } from "./progress.js";
import type { RunReport } from "./report/report.js";

export interface IndexAlbumOptions {
  readonly engine: Engine;
  /** The folder with the photos. */
  readonly album: string;
  /** Where the index goes. Default: `.threadmill/<name>-<hash>` in the working folder. */
  readonly indexFolder?: string;
  /** Default: the model that is built in. */
  readonly model?: Model;
  /** Overrides the model's own threshold for near duplicates. */
  readonly nearThreshold?: number;
  /** The words that photos are labelled with. Default: colours and light. */
  readonly vocabulary?: Vocabulary;
  /** Limits of the labels that are kept between runs. */
  readonly cache?: CacheSettings;
  /** Hears what is wrong with the file of the kept labels. Default: a process warning. */
  readonly onWarning?: (warning: Error) => void;
  readonly retryFailed?: boolean;
  /** Publish although much of the published index is gone from the folder. */
  readonly acceptVanished?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: ProgressListener;
}

/** Raised when a description would come out differently for another reason than those that are part of the key. */
const RECIPE_VERSION = 1;

/**
 * Indexes an album: reads what has changed, finds duplicates, publishes.
 *
 * On any end but the good one (a cancel, an error, the death of the process) the published index is what it was before,
 * and what was finished counts for the next run.
 *
 * @throws {IndexerError} for what was foreseen; see its codes.
 * @throws the signal's reason, within one item's time after its abort.
 */
export async function indexAlbum(options: IndexAlbumOptions): Promise<RunReport> {
  const { signal, engine } = options;
  const startedAt = performance.now();
  signal.throwIfAborted();
  const given = options.indexFolder === undefined ? undefined : await realIndexFolder(options.indexFolder);
  const root = await checkAlbumFolder(options.album, signal, given);
  const indexFolder = given ?? (await realIndexFolder(defaultIndexFolder(root)));
  const model = withThreshold(options.model ?? defaultModel(), options.nearThreshold);
  await checkModel(engine, model, signal);

  const catalog = Catalog.open(indexFolder, root);
  let labels: LabelCache | undefined;
  try {
    labels = await openLabelCache(indexFolder, options.cache, options.onWarning);
    const labelling = { engine, catalog, indexFolder, labels, vocabulary: options.vocabulary ?? VOCABULARY, signal };
    await repairRenderings(labelling);
    await sweep({ catalog, signal });
    signal.throwIfAborted();
    const recipeId = catalog.recipeId(JSON.stringify([RECIPE_VERSION, THUMBNAIL_OPTIONS, model.key]));
    const log = new RunLog(catalog, recipeId, model.name, new Date().toISOString());
    const meter = new ProgressMeter(options.onProgress ?? (() => {}));
    const run: Run = {
      ...labelling,
      root,
      log,
      recipeId,
      model,
      retryFailed: options.retryFailed ?? false,
      counts: { unchanged: 0, recognised: 0, described: 0, broken: 0 },
      labelCounts: { computed: 0, fromCache: 0 },
      tally: emptyTally(),
      meter,
    };
    try {
      return await runPhases(run, options.acceptVanished ?? false, startedAt);
    } finally {
      meter.end();
      // What is finished is kept, however the run ended.
      log.flush();
    }
  } catch (error) {
    throw foreseen(error, indexFolder);
  } finally {
    try {
      await closeLabelCache(labels);
    } finally {
      catalog.close();
    }
  }
}

async function runPhases(run: Run, acceptVanished: boolean, startedAt: number): Promise<RunReport> {
  const { catalog, log, counts, labelCounts, meter } = run;
  const readingFrom = performance.now();
  await readPhotos(run);
  const readingMs = performance.now() - readingFrom;
  const size = sizeOfRun(catalog, log.runId);
  const broken = brokenOfRun(catalog, log.runId);
  if (size.photos === 0) throw new NothingReadableError(run.root, broken);
  if (!acceptVanished) checkVanished(run);
  const groups = await findNearDuplicates(run);
  const contents = { broken: 0, total: size.contents };
  meter.begin("labelling", () => ({ ...contents, done: labelCounts.computed + labelCounts.fromCache }));
  const labels = await labelRun(run, log.runId, labelCounts);
  meter.begin("publishing", () => ({ done: 0, broken: 0, total: size.photos }));
  await publish(run, groups, labels);
  meter.end();
  await sweep(run);
  return {
    album: run.root,
    index: run.indexFolder,
    catalog: join(run.indexFolder, "catalog.sqlite"),
    indexJson: indexJsonPath(run.indexFolder),
    contactSheet: contactSheetPath(run.indexFolder),
    model: run.model.name,
    elapsedMs: Math.round(performance.now() - startedAt),
    readingMs: Math.round(readingMs),
    photosPerSecond: readingMs > 0 ? Math.round((counts.described / readingMs) * 10_000) / 10 : 0,
    photos: size.photos,
    distinctContents: size.contents,
    counts: { ...counts },
    labels: { ...labelCounts },
    passedOver: { ...run.tally },
    exactDuplicates: duplicateTotals(catalog, log.runId),
    nearDuplicates: { groups: groups.length, extraFiles: groups.reduce((sum, group) => sum + group.length - 1, 0) },
    broken,
  };
}

/** Every photo is broken: a run without a result, but with a report. */
export class NothingReadableError extends IndexerError {
  readonly broken: RunReport["broken"];
  constructor(root: string, broken: RunReport["broken"]) {
    super("NOTHING_READABLE", `none of the ${broken.length} photos in ${root} can be read; the index is as it was`);
    this.broken = broken;
  }
}

/**
 * Opens the model in every thread before anything else happens: a file that is no model is found out now, not after the
 * first photos; and the threads are warm when those come. A cancel does not wait for a large one.
 */
async function checkModel(engine: Engine, model: Model, signal: AbortSignal): Promise<void> {
  const warmed = engine.warm(TASKS.embed, model.embed).catch((error: unknown) => {
    throw new IndexerError("MODEL_UNUSABLE", modelProblem(model, error), { cause: error });
  });
  await untilAborted(warmed, signal);
}

/** What the work comes to, or, at once, the reason of the abort: the work then goes on unheard. */
async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const over = new AbortController();
  try {
    await Promise.race([work, once(signal, "abort", { signal: over.signal })]);
    signal.throwIfAborted();
  } finally {
    over.abort();
  }
}

/** What the task says of the model, with the model's name in place of the size that the task knows it by. */
function modelProblem(model: Model, error: unknown): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const said = /^embed: the model \(\d+ bytes\) ([\s\S]*)/.exec(cause.message)?.[1];
    if (said !== undefined) return `the model ${model.name} ${said}`;
  }
  return `the model ${model.name} cannot be used: ${messageOf(error)}`;
}

function withThreshold(model: Model, nearThreshold: number | undefined): Model {
  return nearThreshold === undefined ? model : { ...model, nearThreshold };
}

/**
 * How it began: a stage that fails ends the jobs behind it with SOURCE_FAILED. A call to the system that failed was one
 * for the index: those for photos have failed their photos, and no more.
 */
function foreseen(error: unknown, indexFolder: string): unknown {
  let begin = error;
  while (begin instanceof Error && systemCode(begin) === "SOURCE_FAILED" && begin.cause !== undefined)
    begin = begin.cause;
  if (begin instanceof IndexerError || !(begin instanceof Error) || !("syscall" in begin)) return begin;
  const text = `the index in ${indexFolder} cannot be written: ${begin.message}`;
  return new IndexerError("INDEX_NOT_WRITABLE", text, { cause: begin });
}
