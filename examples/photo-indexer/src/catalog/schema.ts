import { IndexerError } from "../errors.js";
import type { Database } from "./database.js";

/** Raised with every change below. There is no migration yet: an older catalog is refused by name. */
const SCHEMA_VERSION = 1;

/**
 * Two kinds of table. What is true of a *content* (its hash, size, thumbnail, vector) is kept whatever becomes of the
 * run that found it out. What a *run* saw hangs on the run's id, and nobody reads it before `published` names that run:
 * one row, changed by one statement, is the whole difference between an index that is being made and one that is.
 */
const SCHEMA = `
CREATE TABLE album (one INTEGER PRIMARY KEY CHECK (one = 1), root TEXT NOT NULL) STRICT;

-- One row per distinct content, however many files hold it.
CREATE TABLE contents (
  id INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL UNIQUE,
  size_bytes INTEGER NOT NULL
) STRICT;

-- A recipe is all that a description depends on beside the content: decoder, thumbnail settings, model.
CREATE TABLE recipes (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;

-- What became of a content under a recipe: either a thumbnail and a vector, or the reason why not.
CREATE TABLE descriptions (
  content_id INTEGER NOT NULL REFERENCES contents (id),
  recipe_id INTEGER NOT NULL REFERENCES recipes (id),
  width INTEGER, height INTEGER, format TEXT, taken_at TEXT, camera TEXT,
  thumbnail TEXT,
  vector BLOB, vector_scale REAL,
  fault_code TEXT, fault_reason TEXT,
  -- Which decoder failed: a newer one may do better, and is asked again.
  fault_decoder TEXT,
  PRIMARY KEY (content_id, recipe_id),
  CHECK ((vector IS NULL) = (fault_code IS NOT NULL))
) STRICT;

-- Near duplicates among contents, by recipe and threshold, and which contents have been compared with all others.
CREATE TABLE comparisons (
  id INTEGER PRIMARY KEY, recipe_id INTEGER NOT NULL REFERENCES recipes (id), threshold REAL NOT NULL,
  UNIQUE (recipe_id, threshold)
) STRICT;
CREATE TABLE compared (
  comparison_id INTEGER NOT NULL, content_id INTEGER NOT NULL,
  PRIMARY KEY (comparison_id, content_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE alike (
  comparison_id INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, score REAL NOT NULL,
  PRIMARY KEY (comparison_id, a, b)
) STRICT, WITHOUT ROWID;

-- Which content a path held when it had this size and time: what makes the next run cost one stat per file.
CREATE TABLE sightings (
  path TEXT PRIMARY KEY,
  size_bytes INTEGER NOT NULL,
  modified_ns TEXT NOT NULL,
  content_id INTEGER NOT NULL REFERENCES contents (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  recipe_id INTEGER NOT NULL REFERENCES recipes (id),
  model TEXT NOT NULL,
  started_at TEXT NOT NULL,
  finished_at TEXT
) STRICT;

-- The files of a run: a content each, or a reason.
CREATE TABLE run_files (
  run_id INTEGER NOT NULL, path TEXT NOT NULL,
  content_id INTEGER NOT NULL, size_bytes INTEGER NOT NULL, modified_ns TEXT NOT NULL,
  PRIMARY KEY (run_id, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_files_by_content ON run_files (run_id, content_id);
CREATE TABLE run_broken (
  run_id INTEGER NOT NULL, path TEXT NOT NULL,
  code TEXT NOT NULL, reason TEXT NOT NULL, remembered INTEGER NOT NULL,
  PRIMARY KEY (run_id, path)
) STRICT, WITHOUT ROWID;
-- Members of groups of near duplicates. Rank 0 is the group's best picture; scores are of the likeness to it.
CREATE TABLE run_groups (
  run_id INTEGER NOT NULL, group_number INTEGER NOT NULL,
  rank INTEGER NOT NULL, content_id INTEGER NOT NULL, score REAL NOT NULL,
  PRIMARY KEY (run_id, group_number, rank)
) STRICT, WITHOUT ROWID;

-- THE pointer.
CREATE TABLE published (one INTEGER PRIMARY KEY CHECK (one = 1), run_id INTEGER NOT NULL) STRICT;

-- For people with a SQLite shell.
CREATE VIEW photos AS
  SELECT f.path, lower(hex(c.sha256)) AS sha256, f.size_bytes, d.width, d.height, d.format, d.taken_at, d.camera, d.thumbnail
  FROM published p JOIN runs r ON r.id = p.run_id JOIN run_files f ON f.run_id = r.id
  JOIN contents c ON c.id = f.content_id
  JOIN descriptions d ON d.content_id = c.id AND d.recipe_id = r.recipe_id;
CREATE VIEW broken_files AS
  SELECT b.path, b.code, b.reason FROM published p JOIN run_broken b ON b.run_id = p.run_id;
CREATE VIEW exact_duplicates AS
  SELECT sha256, path FROM photos WHERE sha256 IN (SELECT sha256 FROM photos GROUP BY sha256 HAVING count(*) > 1);
CREATE VIEW near_duplicates AS
  SELECT g.group_number, g.rank, f.path, g.score FROM published p JOIN run_groups g ON g.run_id = p.run_id
  JOIN run_files f ON f.run_id = g.run_id AND f.content_id = g.content_id;
`;

/** Makes the tables in an empty database; refuses one of another version. */
export function prepareSchema(database: Database): void {
  // Readers and the writer do not wait for each other, and a transaction costs no flush: after a power cut the last
  // ones may be missing, never torn. Publishing asks for a flush of its own.
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = NORMAL");
  const version = database.prepare<{ user_version: number }>("PRAGMA user_version").get([])?.user_version ?? 0;
  if (version === SCHEMA_VERSION) return;
  const tables = database.prepare<{ count: number }>("SELECT count(*) AS count FROM sqlite_master").get([])?.count ?? 0;
  if (version !== 0 || tables > 0) {
    const text = `${database.path} is a catalog of another version (${version}, this is ${SCHEMA_VERSION}); move it away, and the next run builds a new one`;
    throw new IndexerError("INDEX_DAMAGED", text);
  }
  database.transaction(() => {
    database.exec(SCHEMA);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}
