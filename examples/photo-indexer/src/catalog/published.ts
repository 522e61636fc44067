import type { Catalog } from "./catalog.js";
import type { BrokenFile, GroupMember, PackedVector, PublishedPhoto } from "./records.js";

/** The run whose files are the index. */
export interface PublishedRun {
  readonly runId: number;
  readonly finishedAt: string;
  /** Name of the model that it was made with. */
  readonly model: string;
  readonly photos: number;
}

interface PhotoRow {
  readonly path: string;
  readonly content_id: number;
  readonly sha256: string;
  readonly size_bytes: number;
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly taken_at: string | null;
  readonly camera: string | null;
  readonly thumbnail: string;
}

/** Rows are fetched so many at a time: libsql answers in one go, and a large album must not hold the loop. */
const PAGE = 500;

/** The published run; undefined before the first. */
export function publishedRun(catalog: Catalog): PublishedRun | undefined {
  const row = catalog.database
    .prepare<{ id: number; finished_at: string; model: string }>(
      "SELECT r.id, r.finished_at, r.model FROM published p JOIN runs r ON r.id = p.run_id",
    )
    .get([]);
  if (row === undefined) return undefined;
  return { runId: row.id, finishedAt: row.finished_at, model: row.model, photos: sizeOfRun(catalog, row.id).photos };
}

/** The photos of a run in the order of their paths. */
export function* photosOfRun(catalog: Catalog, runId: number): Generator<PublishedPhoto, void, undefined> {
  const page = catalog.database.prepare<PhotoRow>(
    `SELECT f.path, f.content_id, lower(hex(c.sha256)) AS sha256, f.size_bytes, d.width, d.height, d.format, d.taken_at,
      d.camera, d.thumbnail
    FROM run_files f JOIN runs r ON r.id = f.run_id JOIN contents c ON c.id = f.content_id
    JOIN descriptions d ON d.content_id = f.content_id AND d.recipe_id = r.recipe_id
    WHERE f.run_id = ? AND f.path > ? ORDER BY f.path LIMIT ${PAGE}`,
  );
  for (let after = ""; ;) {
    const rows = page.all([runId, after]);
    for (const row of rows) yield publishedPhoto(row);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.path;
  }
}

/** The broken files of a run, in the order of their paths. */
export function brokenOfRun(catalog: Catalog, runId: number): BrokenFile[] {
  return catalog.database
    .prepare<{ path: string; code: string; reason: string; remembered: number }>(
      "SELECT path, code, reason, remembered FROM run_broken WHERE run_id = ? ORDER BY path",
    )
    .all([runId])
    .map((row) => ({ ...row, remembered: row.remembered === 1 }));
}

/** The groups of near duplicates of a run, each with its best picture first. */
export function groupsOfRun(catalog: Catalog, runId: number): GroupMember[][] {
  const rows = catalog.database
    .prepare<{ group_number: number; content_id: number; score: number }>(
      "SELECT group_number, content_id, score FROM run_groups WHERE run_id = ? ORDER BY group_number, rank",
    )
    .all([runId]);
  const groups = new Map<number, GroupMember[]>();
  for (const { group_number, content_id, score } of rows) {
    const group = groups.get(group_number) ?? [];
    group.push({ contentId: content_id, score });
    groups.set(group_number, group);
  }
  return [...groups.values()];
}

/** A content of a run with its vector, and what decides which of a group is the best picture. */
export interface VectorRow {
  readonly contentId: number;
  readonly sha256: string;
  readonly vector: PackedVector;
  readonly pixels: number;
  readonly sizeBytes: number;
}

/** The distinct contents of a run, page by page, in the order of their ids. */
export function* vectorsOfRun(catalog: Catalog, runId: number): Generator<VectorRow[], void, undefined> {
  const page = catalog.database.prepare<{
    id: number;
    sha256: string;
    vector: Uint8Array;
    scale: number;
    pixels: number;
    size_bytes: number;
  }>(
    `SELECT c.id, lower(hex(c.sha256)) AS sha256, d.vector, d.vector_scale AS scale, d.width * d.height AS pixels, c.size_bytes
    FROM contents c JOIN runs r ON r.id = ? JOIN descriptions d ON d.content_id = c.id AND d.recipe_id = r.recipe_id
    WHERE c.id > ? AND d.vector IS NOT NULL
      AND EXISTS (SELECT 1 FROM run_files f WHERE f.run_id = r.id AND f.content_id = c.id)
    ORDER BY c.id LIMIT ${PAGE}`,
  );
  for (let after = 0; ;) {
    const rows = page.all([runId, after]);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map((row) => ({
      contentId: row.id,
      sha256: row.sha256,
      vector: { scale: row.scale, bytes: new Int8Array(row.vector.buffer, row.vector.byteOffset, row.vector.length) },
      pixels: row.pixels,
      sizeBytes: row.size_bytes,
    }));
    after = last.id;
  }
}

/** How many photos a run holds, and how many distinct contents. */
export function sizeOfRun(catalog: Catalog, runId: number): { readonly photos: number; readonly contents: number } {
  return (
    catalog.database
      .prepare<{ photos: number; contents: number }>(
        "SELECT count(*) AS photos, count(DISTINCT content_id) AS contents FROM run_files WHERE run_id = ?",
      )
      .get([runId]) ?? { photos: 0, contents: 0 }
  );
}

/** Groups of files with one content, the files beyond the first of each, and the bytes that those take. */
export function duplicateTotals(
  catalog: Catalog,
  runId: number,
): { groups: number; extraFiles: number; extraBytes: number } {
  const row = catalog.database
    .prepare<{ groups: number; files: number | null; bytes: number | null }>(
      `SELECT count(*) AS groups, sum(files - 1) AS files, sum((files - 1) * size_bytes) AS bytes FROM (
        SELECT count(*) AS files, max(size_bytes) AS size_bytes FROM run_files WHERE run_id = ?
        GROUP BY content_id HAVING count(*) > 1)`,
    )
    .get([runId]);
  return { groups: row?.groups ?? 0, extraFiles: row?.files ?? 0, extraBytes: row?.bytes ?? 0 };
}

/** Photos of `before` whose path and content are both absent from `now`: gone, not moved and not damaged. */
export function vanishedBetween(catalog: Catalog, before: number, now: number): number {
  const row = catalog.database
    .prepare<{ count: number }>(
      `SELECT count(*) AS count FROM run_files b WHERE b.run_id = ?
        AND NOT EXISTS (SELECT 1 FROM run_files f WHERE f.run_id = ? AND f.path = b.path)
        AND NOT EXISTS (SELECT 1 FROM run_files f WHERE f.run_id = ? AND f.content_id = b.content_id)
        AND NOT EXISTS (SELECT 1 FROM run_broken f WHERE f.run_id = ? AND f.path = b.path)`,
    )
    .get([before, now, now, now]);
  return row?.count ?? 0;
}

/**
 * Forgets all runs but the published one. In small transactions: after a killed run
 * over a large album this is work, and a cancel must get a word in between two of them.
 */
export function* sweepRuns(catalog: Catalog): Generator<void, void, undefined> {
  const { database } = catalog;
  const keep = publishedRun(catalog)?.runId ?? -1;
  for (const table of ["run_files", "run_broken", "run_groups"]) {
    const next = database.prepare<{ run_id: number }>(`SELECT run_id FROM ${table} WHERE run_id <> ? LIMIT 1`);
    const key = table === "run_groups" ? "group_number, rank" : "path";
    const clear = database.prepare(
      `DELETE FROM ${table} WHERE (run_id, ${key}) IN (SELECT run_id, ${key} FROM ${table} WHERE run_id = ? LIMIT 2000)`,
    );
    for (let row = next.get([keep]); row !== undefined; row = next.get([keep])) {
      clear.run([row.run_id]);
      yield;
    }
  }
  database.prepare("DELETE FROM runs WHERE id <> ?").run([keep]);
}

/** Forgets paths that the published run does not hold. Only right after publishing: before, they are a killed run's work. */
export function sweepSightings(catalog: Catalog, runId: number): void {
  catalog.database
    .prepare(
      `DELETE FROM sightings WHERE path NOT IN (SELECT path FROM run_files WHERE run_id = ?)
        AND path NOT IN (SELECT path FROM run_broken WHERE run_id = ?)`,
    )
    .run([runId, runId]);
}

/** Contents that no path holds any more. */
const STRAYS = `SELECT id FROM contents WHERE id NOT IN (SELECT content_id FROM sightings)
  AND id NOT IN (SELECT f.content_id FROM published p JOIN run_files f ON f.run_id = p.run_id)`;

/** Thumbnails of contents that no path holds any more. Remove them before {@link sweepContents} forgets their names. */
export function strayThumbnails(catalog: Catalog): string[] {
  return catalog.database
    .prepare<{ thumbnail: string }>(
      `SELECT DISTINCT thumbnail FROM descriptions WHERE thumbnail IS NOT NULL AND content_id IN (${STRAYS})`,
    )
    .all([])
    .map(({ thumbnail }) => thumbnail);
}

/**
 * Forgets contents that no path holds any more, and all that was found out about them: else the catalog would grow with
 * every photo that ever was. Only after {@link sweepSightings}, which decides what is held.
 *
 * In one transaction: an id that is free is given to a new content, which must not inherit anything.
 */
export function sweepContents(catalog: Catalog): void {
  const { database } = catalog;
  // SQLite would look through all sightings for each content that goes; that none holds it is why it does.
  database.exec("PRAGMA foreign_keys = OFF");
  try {
    database.transaction(() => {
      if (database.prepare(`DELETE FROM contents WHERE id IN (${STRAYS})`).run([]).changes === 0) return;
      const gone = "NOT IN (SELECT id FROM contents)";
      database.exec(`DELETE FROM descriptions WHERE content_id ${gone}`);
      database.exec(`DELETE FROM compared WHERE content_id ${gone}`);
      database.exec(`DELETE FROM alike WHERE a ${gone} OR b ${gone}`);
    });
  } finally {
    database.exec("PRAGMA foreign_keys = ON");
  }
}

function publishedPhoto(row: PhotoRow): PublishedPhoto {
  return {
    path: row.path,
    contentId: row.content_id,
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    width: row.width,
    height: row.height,
    format: row.format,
    takenAt: row.taken_at ?? undefined,
    camera: row.camera ?? undefined,
    thumbnail: row.thumbnail,
  };
}
