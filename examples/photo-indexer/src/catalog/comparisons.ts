import type { Catalog } from "./catalog.js";

/** Two contents that are near duplicates, in no order. */
export interface AlikeContents {
  readonly a: number;
  readonly b: number;
  readonly score: number;
}

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

  /** All known pairs. */
  pairs(): AlikeContents[] {
    return this.#catalog.database
      .prepare<{ a: number; b: number; score: number }>("SELECT a, b, score FROM alike WHERE comparison_id = ?")
      .all([this.#id]);
  }

  /** Notes that these contents have been compared with all others, and which of their pairs are alike. */
  record(contentIds: readonly number[], pairs: readonly AlikeContents[]): void {
    const { database } = this.#catalog;
    const addPair = database.prepare("INSERT OR REPLACE INTO alike (comparison_id, a, b, score) VALUES (?, ?, ?, ?)");
    const addCompared = database.prepare("INSERT OR IGNORE INTO compared (comparison_id, content_id) VALUES (?, ?)");
    database.transaction(() => {
      for (const { a, b, score } of pairs) addPair.run([this.#id, Math.min(a, b), Math.max(a, b), score]);
      for (const contentId of contentIds) addCompared.run([this.#id, contentId]);
    });
  }
}
