import { resolve } from "node:path";
import { createEngine, type Engine } from "@threadmill/engine";
import { readFindings } from "../album/findings.js";
import { scoreFindings } from "../album/manifest.js";
import { ensureSampleAlbum } from "../album/sample-album.js";
import { writeAtomically } from "../files/write-atomically.js";
import { indexAlbum } from "../index-album.js";
import { buildGaborModel } from "../model/gabor-graph.js";
import { loadModel } from "../model/model-file.js";
import { printable } from "../report/format.js";
import { cacheSettings } from "./cache-settings.js";
import { readArguments, type Command, type IndexArguments } from "./arguments.js";
import { HELP } from "./help.js";
import { handleInterrupts } from "./interrupt.js";
import { outcomeOfError, type CommandOutcome } from "./outcome.js";
import { createProgressView, type ProgressView } from "./progress-view.js";
import { foundText, searchIndex, type SearchArguments } from "./search.js";
import { sampleText } from "./sample-text.js";
import { brokenText, summaryText } from "./summary.js";

/** Runs a command line and answers the exit code. Nothing is thrown, and nothing ends the process but a second signal. */
export async function main(words: readonly string[]): Promise<number> {
  let command: Command;
  try {
    command = readArguments(words);
  } catch (error) {
    const { exitCode, outcome } = outcomeOfError(error);
    // Words that cannot be understood may still have said how the answer is wanted.
    print(outcome, words.includes("--json"));
    if (!words.includes("--json")) process.stderr.write("Try --help.\n");
    return exitCode;
  }
  switch (command.kind) {
    case "help":
      process.stdout.write(HELP);
      return 0;
    case "model":
      return await writeModel(command.file);
    case "sample":
      return await withEngine(command.threads, false, command.quiet, async (work) => {
        const { folder, drawn } = await ensureSampleAlbum({
          ...work,
          ...(command.folder === undefined ? {} : { folder: command.folder }),
        });
        work.view.clear();
        process.stdout.write(`${drawn ? "Drew" : "Found"} the sample album in ${printable(folder)}\n`);
      });
    case "search":
      return await search(command);
    case "index":
      return await index(command.folder, command.options);
  }
}

/** What the parts of a command share. */
interface Work {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  readonly view: ProgressView;
  readonly onProgress: ProgressView["show"];
}

async function index(folder: string | undefined, options: IndexArguments): Promise<number> {
  const { json, quiet, threads, out, model, modelSettings, nearThreshold, retryFailed, acceptVanished } = options;
  return await withEngine(threads, json, quiet, async (work) => {
    const cache = cacheSettings(process.env);
    const chosen = model === undefined ? undefined : await loadModel(model, modelSettings);
    const sample = folder === undefined ? await ensureSampleAlbum(work) : undefined;
    const report = await indexAlbum({
      ...work,
      album: sample?.folder ?? folder ?? "",
      cache,
      onWarning: ({ message }) => {
        work.view.clear();
        process.stderr.write(`Warning: ${printable(message)}\n`);
      },
      ...(out === undefined ? {} : { indexFolder: resolve(out) }),
      ...(chosen === undefined ? {} : { model: chosen }),
      ...(nearThreshold === undefined ? {} : { nearThreshold }),
      retryFailed,
      acceptVanished,
    });
    work.view.clear();
    const score =
      sample === undefined ? undefined : scoreFindings(sample.manifest, await readFindings(report.indexJson));
    print({ status: "completed", ...report, ...(score === undefined ? {} : { sample: score }) }, json);
  });
}

/** Gives `work` an engine and a signal that the interrupt keys abort, and tidies up whatever it ends with. */
async function withEngine(
  threads: number | undefined,
  json: boolean,
  quiet: boolean,
  work: (work: Work) => Promise<void>,
): Promise<number> {
  const view = createProgressView(process.stderr, quiet);
  const interrupts = handleInterrupts(() => {
    view.clear();
    if (!json) process.stderr.write("Stopping; once more ends it at once.\n");
  });
  const engine = createEngine(threads === undefined ? {} : { threads });
  try {
    await work({ engine, signal: interrupts.signal, view, onProgress: (progress) => view.show(progress) });
    return 0;
  } catch (error) {
    view.clear();
    // A cancel has many faces by the time it has come through the jobs; the signal knows its reason.
    const { exitCode, outcome } = outcomeOfError(interrupts.signal.aborted ? interrupts.signal.reason : error);
    print(outcome, json);
    return exitCode;
  } finally {
    const { leftBehind } = await engine.close({ deadlineMs: 0 });
    if (leftBehind.length > 0) interrupts.finish();
    interrupts.dispose();
  }
}

async function search(what: SearchArguments): Promise<number> {
  try {
    print({ status: "found", photos: await searchIndex(what) }, what.json);
    return 0;
  } catch (error) {
    const { exitCode, outcome } = outcomeOfError(error);
    print(outcome, what.json);
    return exitCode;
  }
}

async function writeModel(file: string): Promise<number> {
  try {
    const bytes = buildGaborModel();
    await writeAtomically(resolve(file), bytes);
    process.stdout.write(`Wrote the built-in model (${bytes.byteLength} bytes) to ${printable(resolve(file))}\n`);
    return 0;
  } catch (error) {
    const { exitCode, outcome } = outcomeOfError(error);
    print(outcome, false);
    return exitCode;
  }
}

/** Standard output gets the answer, standard error everything that is none. */
function print(outcome: CommandOutcome, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
    return;
  }
  switch (outcome.status) {
    case "completed":
      process.stdout.write(`\n${summaryText(outcome)}`);
      if (outcome.sample !== undefined) process.stdout.write(`\n${sampleText(outcome.sample)}`);
      return;
    case "found":
      process.stdout.write(foundText(outcome.photos));
      return;
    case "cancelled":
      process.stderr.write(`Stopped: ${outcome.reason}. ${outcome.kept}\n`);
      return;
    case "failed":
      if (outcome.broken !== undefined) process.stdout.write(brokenText(outcome.broken));
      process.stderr.write(`Error: ${printable(outcome.error.message)} (${outcome.error.code})\n`);
      return;
  }
}
