/**
 * SQLite by libsql, and the only file that may import it. Version 0.5.29 has edges that end the process rather than
 * throw: a lone Buffer or a lone `null` as an argument. So arguments travel as one array here, always, and nobody else
 * sees the raw statement. Blobs come back as Buffer from one method and ArrayBuffer from another; here they are bytes.
 */
import Libsql from "libsql";
import { IndexerError, messageOf } from "../errors.js";

/** What a column can hold on the way in. */
export type Value = string | number | Uint8Array | null;
/** A row as it comes back, before the caller says what its columns are. */
type RawRow = Record<string, unknown>;

/** A prepared statement. Its arguments are always a list, also for one or none. */
export interface Statement<Row> {
  run(values: readonly Value[]): { readonly changes: number; readonly lastId: number };
  get(values: readonly Value[]): Row | undefined;
  all(values: readonly Value[]): Row[];
}

export class Database {
  readonly #handle: Libsql.Database;
  readonly path: string;

  /** @throws {IndexerError} as everything here does; see {@link foreseen}. */
  constructor(path: string) {
    this.path = path;
    try {
      this.#handle = new Libsql(path);
    } catch (error) {
      throw new IndexerError("INDEX_NOT_WRITABLE", `${path} cannot be opened: ${messageOf(error)}`, { cause: error });
    }
    try {
      // The file is looked at only now.
      this.prepare("SELECT count(*) FROM sqlite_master").all([]);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Runs statements that take no values. */
  exec(sql: string): void {
    this.#try(() => this.#handle.exec(sql));
  }

  /** Prepares a statement; `Row` is what the caller knows its columns to be. */
  prepare<Row = RawRow>(sql: string): Statement<Row> {
    const statement: Libsql.Statement<[readonly Value[]]> = this.#try(() =>
      this.#handle.prepare<[readonly Value[]]>(sql),
    );
    return {
      run: (values) => {
        const { changes, lastInsertRowid } = this.#try(() => statement.run(values));
        return { changes, lastId: Number(lastInsertRowid) };
      },
      get: (values) => {
        const row = this.#try(() => statement.get(values));
        return row === undefined ? undefined : (cleanRow(row) as Row);
      },
      all: (values) => this.#try(() => statement.all(values)).map((row) => cleanRow(row) as Row),
    };
  }

  /** All of `work`, or nothing of it. Transactions do not nest. */
  transaction<Result>(work: () => Result): Result {
    this.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.exec("COMMIT");
      return result;
    } catch (error) {
      try {
        this.exec("ROLLBACK");
      } catch {
        // SQLite has rolled back by itself (a full disk); what matters is the error that led here.
      }
      throw error;
    }
  }

  close(): void {
    this.#handle.close();
  }

  #try<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw foreseen(this.path, error);
    }
  }
}

/**
 * What SQLite says of a file, disk or lock, as one of our errors; anything else as it is. Only a file that is damaged is
 * to be moved away: one that may not be written to, or a full disk, is no fault of the catalog.
 *
 * By the lower byte of the number: the rest says more closely how, and libsql has no names for most of that.
 */
function foreseen(path: string, error: unknown): unknown {
  const said = messageOf(error);
  switch (resultCode(error) & 0xff) {
    case SQLITE.BUSY:
      return new IndexerError("INDEX_BUSY", `another run is at work on ${path}; wait for it, or stop it`, {
        cause: error,
      });
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB: {
      const text = `${path} is damaged, or not a database (${said}); move it away, and the next run builds a new one`;
      return new IndexerError("INDEX_DAMAGED", text, { cause: error });
    }
    case SQLITE.PERM:
    case SQLITE.READONLY:
    case SQLITE.IOERR:
    case SQLITE.FULL:
    case SQLITE.CANTOPEN:
      return new IndexerError("INDEX_NOT_WRITABLE", `${path} cannot be written to: ${said}`, { cause: error });
    default:
      return error;
  }
}

/** https://sqlite.org/rescode.html */
const SQLITE = { PERM: 3, BUSY: 5, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 } as const;

function resultCode(error: unknown): number {
  if (typeof error !== "object" || error === null || !("rawCode" in error)) return 0;
  return typeof error.rawCode === "number" ? error.rawCode : 0;
}

function cleanRow(row: unknown): RawRow {
  const cells = Object.entries(row as RawRow).filter(([name]) => name !== "_metadata");
  return Object.fromEntries(
    cells.map(([name, cell]) => [name, cell instanceof ArrayBuffer ? new Uint8Array(cell) : cell]),
  );
}
