import type { Catalog } from "./catalog.js";

/** Two contents that are near duplicates, in no order. */
export interface AlikeContents {
  readonly a: number;
  readonly b: number;
  readonly score: number;
}

/** So many pairs are read or written at a time: a few milliseconds. */
const PAGE = 2000;

/**
 * Which contents have been compared with all others, and what came out. Like descriptions this is true of contents,
 * whatever becomes of the run that found it out, so that a run compares only what is new: with an album of 20,000
 * photos that is the difference between a minute and nothing.
 *
 * A content counts as compared when its pairs with *everything* the catalog held at the time are known. One that comes
 * later is new itself, and is compared with it then.
 */
export class Comparisons {
  readonly #catalog: Catalog;
  readonly #id: number;

  /** Comparisons under one recipe and threshold; another threshold is another question. */
  constructor(catalog: Catalog, recipeId: number, threshold: number) {
    this.#catalog = catalog;
    const { database } = catalog;
    database
      .prepare("INSERT INTO comparisons (recipe_id, threshold) VALUES (?, ?) ON CONFLICT DO NOTHING")
      .run([recipeId, threshold]);
    const row = database
      .prepare<{ id: number }>("SELECT id FROM comparisons WHERE recipe_id = ? AND threshold = ?")
      .get([recipeId, threshold]);
    if (row === undefined) throw new Error("a comparison that was just stored is missing");
    this.#id = row.id;
  }

  /** Contents that have been compared with all others. */
  compared(): Set<number> {
    const rows = this.#catalog.database
      .prepare<{ content_id: number }>("SELECT content_id FROM compared WHERE comparison_id = ?")
      .all([this.#id]);
    return new Set(rows.map(({ content_id }) => content_id));
  }

  /** All known pairs, page by page: of a time lapse there may be millions. */
  *pairs(): Generator<AlikeContents[], void, undefined> {
    const page = this.#catalog.database.prepare<AlikeContents>(
      `SELECT a, b, score FROM alike WHERE comparison_id = ? AND (a, b) > (?, ?) ORDER BY a, b LIMIT ${PAGE}`,
    );
    let last: AlikeContents = { a: -1, b: -1, score: 0 };
    for (;;) {
      const rows = page.all([this.#id, last.a, last.b]);
      const end = rows.at(-1);
      if (end === undefined) return;
      yield rows;
      last = end;
    }
  }

  /**
   * Notes that these contents have been compared with all others, and which of their pairs are alike. A step at a time,
   * for the reason above; that they have been compared is noted by the last one.
   */
  *record(contentIds: readonly number[], pairs: readonly AlikeContents[]): Generator<void, void, undefined> {
    const { database } = this.#catalog;
    const addPair = database.prepare("INSERT OR REPLACE INTO alike (comparison_id, a, b, score) VALUES (?, ?, ?, ?)");
    const addCompared = database.prepare("INSERT OR IGNORE INTO compared (comparison_id, content_id) VALUES (?, ?)");
    for (let from = 0; from < pairs.length; from += PAGE) {
      database.transaction(() => {
        for (const { a, b, score } of pairs.slice(from, from + PAGE))
          addPair.run([this.#id, Math.min(a, b), Math.max(a, b), score]);
      });
      yield;
    }
    database.transaction(() => {
      for (const contentId of contentIds) addCompared.run([this.#id, contentId]);
    });
  }
}
