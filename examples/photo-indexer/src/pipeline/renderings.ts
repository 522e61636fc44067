import { open } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Catalog } from "../catalog/catalog.js";
import { brokenOfRun, groupsOfRun, photosOfRun, publishedRun } from "../catalog/published.js";
import { prepareFile } from "../files/write-atomically.js";
import { labelRun, type Labelling } from "../labels/label-run.js";
import { renderContactSheet } from "../report/contact-sheet.js";
import { renderIndexJson, runOfIndexJson, type IndexContent } from "../report/index-json.js";

/** Files made from the catalog for people and other programs. The catalog is the truth; these can always be made again. */
export interface Renderings {
  /** Puts both in their places. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

export function indexJsonPath(indexFolder: string): string {
  return join(indexFolder, "index.json");
}

export function contactSheetPath(indexFolder: string): string {
  return join(indexFolder, "contact-sheet.html");
}

/** Writes both renderings of a run beside their places, complete and flushed. @throws the signal's reason. */
export async function prepareRenderings(
  catalog: Catalog,
  indexFolder: string,
  run: Pick<IndexContent, "runId" | "album" | "model" | "finishedAt" | "labels">,
  signal?: AbortSignal,
): Promise<Renderings> {
  const content: IndexContent = {
    ...run,
    photos: () => photosOfRun(catalog, run.runId),
    groups: groupsOfRun(catalog, run.runId),
    broken: brokenOfRun(catalog, run.runId),
  };
  const sheet = await prepareFile(contactSheetPath(indexFolder), inChunks(renderContactSheet(content)), signal);
  try {
    const json = await prepareFile(indexJsonPath(indexFolder), inChunks(renderIndexJson(content)), signal);
    return {
      commit: async () => {
        await sheet.commit();
        await json.commit();
      },
      discard: async () => {
        await sheet.discard();
        await json.discard();
      },
    };
  } catch (error) {
    await sheet.discard();
    throw error;
  }
}

/**
 * Makes the renderings again if they are not of the published run: the process may have died between the publishing and
 * the two renames that follow it, or somebody may have deleted them.
 */
export async function repairRenderings(labelling: Labelling): Promise<void> {
  const { catalog, indexFolder, signal } = labelling;
  const published = publishedRun(catalog);
  if (published === undefined || (await shownRun(indexJsonPath(indexFolder))) === published.runId) return;
  const { runId, model, finishedAt } = published;
  const labels = await labelRun(labelling, runId);
  const renderings = await prepareRenderings(
    catalog,
    indexFolder,
    { runId, album: catalog.albumRoot, model, finishedAt, labels },
    signal,
  );
  await renderings.commit();
}

async function shownRun(path: string): Promise<number | undefined> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
      return runOfIndexJson(buffer.toString("utf8", 0, bytesRead));
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

/** A write per photo would be a system call per photo; and without a turn in between, a signal could not be heard. */
async function* inChunks(parts: Iterable<string>): AsyncGenerator<string, void, undefined> {
  let chunk = "";
  for (const part of parts) {
    chunk += part;
    if (chunk.length < 65_536) continue;
    yield chunk;
    chunk = "";
    await nextTurn();
  }
  yield chunk;
}
