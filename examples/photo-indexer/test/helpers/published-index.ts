import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "../../src/catalog/database.js";

/** Everything that a reader of an index can see, as one value: equal before and after means untouched. */
export function publishedIndex(indexFolder: string): {
  readonly files: readonly string[];
  readonly photos: readonly unknown[];
} {
  const files = ["index.json", "contact-sheet.html"].map((name) => readFileSync(join(indexFolder, name), "utf8"));
  return { files, photos: query(indexFolder, "SELECT * FROM photos ORDER BY path") };
}

/** Asks an index's catalog, as another program would beside a run that writes to it. */
export function query<Row>(indexFolder: string, sql: string): Row[] {
  const database = new Database(join(indexFolder, "catalog.sqlite"));
  try {
    return database.prepare<Row>(sql).all([]);
  } finally {
    database.close();
  }
}

/** How many contents are described, published or not. */
export function describedContents(indexFolder: string): number {
  return query<{ count: number }>(indexFolder, "SELECT count(*) AS count FROM descriptions")[0]?.count ?? 0;
}
