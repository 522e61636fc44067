import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { IndexerError, messageOf } from "../errors.js";
import { Database, type Statement } from "./database.js";
import { lockIndex } from "./lock.js";
import type { Broken, Description, KnownContent } from "./records.js";
import { prepareSchema } from "./schema.js";

interface KnownRow {
  readonly id: number;
  readonly thumbnail: string | null;
  readonly fault_code: string | null;
  readonly fault_reason: string | null;
  readonly fault_decoder: string | null;
  readonly recipe_id: number | null;
}

/**
 * What is known about contents, and which content each path held last. Everything here outlives the run that found it
 * out, so a killed run loses its last fraction of a second and nothing more.
 *
 * One process writes at a time (a lock sees to it), and within it this connection alone.
 */
export class Catalog {
  readonly database: Database;
  /** Real path of the album that the index belongs to. */
  readonly albumRoot: string;
  readonly #lock: { release(): void };
  readonly #byPath: Statement<KnownRow>;
  readonly #byHash: Statement<KnownRow>;
  readonly #addContent: Statement<{ id: number }>;
  readonly #describe: Statement<never>;

  /**
   * Opens or creates the catalog of an index folder.
   *
   * @throws {IndexerError} `INDEX_NOT_WRITABLE`, `INDEX_BUSY`, `INDEX_DAMAGED`, `INDEX_OF_OTHER_FOLDER`.
   */
  static open(indexFolder: string, albumRoot: string): Catalog {
    try {
      mkdirSync(indexFolder, { recursive: true });
    } catch (error) {
      const text = `the index folder ${indexFolder} cannot be created: ${messageOf(error)}`;
      throw new IndexerError("INDEX_NOT_WRITABLE", text, { cause: error });
    }
    const lock = lockIndex(indexFolder);
    try {
      return new Catalog(join(indexFolder, "catalog.sqlite"), albumRoot, indexFolder, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(path: string, albumRoot: string, indexFolder: string, lock: { release(): void }) {
    this.#lock = lock;
    this.albumRoot = albumRoot;
    this.database = new Database(path);
    try {
      prepareSchema(this.database);
      bindToAlbum(this.database, albumRoot, indexFolder);
    } catch (error) {
      this.database.close();
      throw error;
    }
    const known = `SELECT c.id, d.recipe_id, d.thumbnail, d.fault_code, d.fault_reason, d.fault_decoder FROM contents c
      LEFT JOIN descriptions d ON d.content_id = c.id AND d.recipe_id = ?`;
    this.#byHash = this.database.prepare(`${known} WHERE c.sha256 = ?`);
    this.#byPath = this.database.prepare(
      `${known} JOIN sightings s ON s.content_id = c.id WHERE s.path = ? AND s.size_bytes = ? AND s.modified_ns = ?`,
    );
    this.#addContent = this.database.prepare(
      "INSERT INTO contents (sha256, size_bytes) VALUES (?, ?) ON CONFLICT DO UPDATE SET size_bytes = size_bytes RETURNING id",
    );
    this.#describe = this.database.prepare(
      `INSERT OR REPLACE INTO descriptions (content_id, recipe_id, width, height, format, taken_at, camera, thumbnail,
        vector, vector_scale, fault_code, fault_reason, fault_decoder) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  /** The id of a recipe, which is made at its first mention. */
  recipeId(key: string): number {
    this.database.prepare("INSERT INTO recipes (key) VALUES (?) ON CONFLICT DO NOTHING").run([key]);
    const row = this.database.prepare<{ id: number }>("SELECT id FROM recipes WHERE key = ?").get([key]);
    if (row === undefined) throw new Error("a recipe that was just stored is missing");
    return row.id;
  }

  /** The content of a file that was seen before with the same size and time; undefined if it must be read. */
  recallFile(
    recipeId: number,
    file: { path: string; sizeBytes: number; modifiedNs: string },
  ): KnownContent | undefined {
    return knownContent(this.#byPath.get([recipeId, file.path, file.sizeBytes, file.modifiedNs]));
  }

  /** The content with this hash, wherever it was seen. */
  recallContent(recipeId: number, sha256: string): KnownContent | undefined {
    return knownContent(this.#byHash.get([recipeId, Buffer.from(sha256, "hex")]));
  }

  /** Makes a content known, if it is not, and answers its id. Call it inside a transaction. */
  addContent(sha256: string, sizeBytes: number): number {
    const row = this.#addContent.get([Buffer.from(sha256, "hex"), sizeBytes]);
    if (row === undefined) throw new Error("the catalog gave no id for a content");
    return row.id;
  }

  /** Stores what became of a content. Call it inside a transaction. */
  describe(contentId: number, recipeId: number, description: Description): void {
    if (description.status === "broken") {
      const { code, reason, decoder } = description;
      this.#describe.run([contentId, recipeId, null, null, null, null, null, null, null, null, code, reason, decoder]);
      return;
    }
    const { width, height, format, takenAt, camera, thumbnail, vector } = description;
    const bytes = new Uint8Array(vector.bytes.buffer, vector.bytes.byteOffset, vector.bytes.length);
    const exif = [takenAt ?? null, camera ?? null];
    this.#describe.run([
      contentId,
      recipeId,
      width,
      height,
      format,
      ...exif,
      thumbnail,
      bytes,
      vector.scale,
      null,
      null,
      null,
    ]);
  }

  close(): void {
    try {
      // The connection itself ends only with its last statement, whenever that is collected: what lies in the log beside
      // the database is brought home now, so that the one file can be copied.
      this.database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all([]);
    } catch {
      // On a full disk it stays where it is, and is no less valid there.
    }
    this.database.close();
    this.#lock.release();
  }
}

function knownContent(row: KnownRow | undefined): KnownContent | undefined {
  if (row === undefined) return undefined;
  const fault: Broken | undefined =
    row.fault_code === null
      ? undefined
      : { status: "broken", code: row.fault_code, reason: row.fault_reason ?? "", decoder: row.fault_decoder ?? "" };
  const state = row.recipe_id === null ? "undescribed" : fault === undefined ? "described" : "broken";
  return { contentId: row.id, state, fault, thumbnail: row.thumbnail ?? undefined };
}

/** An index knows paths relative to one root; those of another album would look like a mass deletion. */
function bindToAlbum(database: Database, root: string, indexFolder: string): void {
  database.prepare("INSERT INTO album (one, root) VALUES (1, ?) ON CONFLICT DO NOTHING").run([root]);
  const bound = database.prepare<{ root: string }>("SELECT root FROM album").get([])?.root;
  if (bound === root) return;
  const text = `the index in ${indexFolder} belongs to ${String(bound)}; give another --out for ${root}`;
  throw new IndexerError("INDEX_OF_OTHER_FOLDER", text);
}
