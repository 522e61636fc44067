import type { Catalog } from "./catalog.js";
import type { Statement } from "./database.js";
import type { BrokenFile, Description, FileRecord, GroupMember } from "./records.js";

/** What a run has to write down, in the order in which it came to know it. */
export type Entry =
  /** A file whose content was read and described just now, or found to be broken. */
  | {
      readonly kind: "finished";
      readonly file: Omit<FileRecord, "contentId">;
      readonly sha256: string;
      readonly description: Description;
    }
  /** A file whose content is known: nothing to describe. */
  | { readonly kind: "known"; readonly file: FileRecord }
  /** A file that is broken by its content, which is known already. */
  | {
      readonly kind: "known-broken";
      readonly file: FileRecord;
      readonly code: string;
      readonly reason: string;
      /** Found out by an earlier run, rather than by this one under another name. */
      readonly remembered: boolean;
    }
  /** A path that could not be read at all: nothing to remember, it is tried again next time. */
  | { readonly kind: "unusable"; readonly path: string; readonly code: string; readonly reason: string };

/** A transaction holds this many entries at the most: a few milliseconds, so that a cancel is prompt. */
const MAX_BATCH = 200;
/** And no entry waits longer than this for company: what a kill can cost. */
const MAX_WAIT_MS = 250;

/**
 * Writes down what a run finds, in small transactions. Contents and their descriptions count at once and for ever;
 * the list of the run's files counts when {@link RunLog.publish} makes it the published one.
 */
export class RunLog {
  readonly runId: number;
  readonly #catalog: Catalog;
  readonly #recipeId: number;
  readonly #waiting: Entry[] = [];
  /** Hashes of finished contents among them: the catalog does not know those yet. */
  readonly #waitingHashes = new Set<string>();
  readonly #sight: Statement<never>;
  readonly #addFile: Statement<never>;
  readonly #addBroken: Statement<never>;
  #timer: NodeJS.Timeout | undefined;

  constructor(catalog: Catalog, recipeId: number, model: string, startedAt: string) {
    this.#catalog = catalog;
    this.#recipeId = recipeId;
    const { database } = catalog;
    const started = database
      .prepare("INSERT INTO runs (recipe_id, model, started_at) VALUES (?, ?, ?)")
      .run([recipeId, model, startedAt]);
    this.runId = started.lastId;
    this.#sight = database.prepare(
      "INSERT OR REPLACE INTO sightings (path, size_bytes, modified_ns, content_id) VALUES (?, ?, ?, ?)",
    );
    this.#addFile = database.prepare(
      "INSERT OR REPLACE INTO run_files (run_id, path, content_id, size_bytes, modified_ns) VALUES (?, ?, ?, ?, ?)",
    );
    this.#addBroken = database.prepare(
      "INSERT OR REPLACE INTO run_broken (run_id, path, code, reason, remembered) VALUES (?, ?, ?, ?, ?)",
    );
  }

  /** Takes an entry; it is on disk within a quarter of a second, or after the next {@link flush}. */
  add(entry: Entry): void {
    this.#waiting.push(entry);
    if (entry.kind === "finished") this.#waitingHashes.add(entry.sha256);
    if (this.#waiting.length >= MAX_BATCH) {
      this.flush();
      return;
    }
    this.#timer ??= setTimeout(() => {
      try {
        this.flush();
      } catch {
        // A timer has no caller. Nothing is lost: the next flush meets the same full disk, and has one; or it succeeds.
      }
    }, MAX_WAIT_MS);
  }

  /** Commits what is waiting. What could not be committed goes on waiting. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    this.#catalog.database.transaction(() => {
      for (const entry of this.#waiting) this.#write(entry);
    });
    this.#waiting.length = 0;
    this.#waitingHashes.clear();
  }

  /** Sees to it that the catalog knows a content if this run has finished it. */
  settle(sha256: string): void {
    if (this.#waitingHashes.has(sha256)) this.flush();
  }

  /** Stores the groups of near duplicates, each with its best picture first. */
  addGroups(groups: readonly (readonly GroupMember[])[]): void {
    const add = this.#catalog.database.prepare(
      "INSERT INTO run_groups (run_id, group_number, rank, content_id, score) VALUES (?, ?, ?, ?, ?)",
    );
    this.#catalog.database.transaction(() => {
      groups.forEach((group, number) => {
        group.forEach(({ contentId, score }, rank) => {
          add.run([this.runId, number + 1, rank, contentId, score]);
        });
      });
    });
  }

  /** Makes this run the published one: a single transaction, flushed to disk, is the whole change. */
  publish(finishedAt: string): void {
    this.flush();
    const { database } = this.#catalog;
    database.exec("PRAGMA synchronous = FULL");
    try {
      database.transaction(() => {
        database.prepare("UPDATE runs SET finished_at = ? WHERE id = ?").run([finishedAt, this.runId]);
        database
          .prepare(
            "INSERT INTO published (one, run_id) VALUES (1, ?) ON CONFLICT DO UPDATE SET run_id = excluded.run_id",
          )
          .run([this.runId]);
      });
    } finally {
      database.exec("PRAGMA synchronous = NORMAL");
    }
  }

  #write(entry: Entry): void {
    switch (entry.kind) {
      case "finished": {
        const contentId = this.#catalog.addContent(entry.sha256, entry.file.sizeBytes);
        this.#catalog.describe(contentId, this.#recipeId, entry.description);
        const file = { ...entry.file, contentId };
        if (entry.description.status === "described") this.#writeFile(file);
        else {
          const { code, reason } = entry.description;
          this.#writeBroken({ path: file.path, code, reason, remembered: false }, file);
        }
        return;
      }
      case "known":
        this.#writeFile(entry.file);
        return;
      case "known-broken":
        this.#writeBroken(
          { path: entry.file.path, code: entry.code, reason: entry.reason, remembered: entry.remembered },
          entry.file,
        );
        return;
      case "unusable":
        this.#writeBroken({ path: entry.path, code: entry.code, reason: entry.reason, remembered: false });
        return;
    }
  }

  #writeFile(file: FileRecord): void {
    this.#sight.run([file.path, file.sizeBytes, file.modifiedNs, file.contentId]);
    this.#addFile.run([this.runId, file.path, file.contentId, file.sizeBytes, file.modifiedNs]);
  }

  #writeBroken(broken: BrokenFile, file?: FileRecord): void {
    if (file !== undefined) this.#sight.run([file.path, file.sizeBytes, file.modifiedNs, file.contentId]);
    this.#addBroken.run([this.runId, broken.path, broken.code, broken.reason, broken.remembered ? 1 : 0]);
  }
}
