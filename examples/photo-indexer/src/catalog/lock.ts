import { join } from "node:path";
import { Database } from "./database.js";

/**
 * One run per index at a time. The lock is a transaction held open in a database of its own: the system drops it with
 * the process, however that ends, so a killed run leaves no stale lock behind, and no process id is ever guessed at.
 *
 * @throws {IndexerError} `INDEX_BUSY`: another run holds it.
 */
export function lockIndex(indexFolder: string): { release(): void } {
  const database = new Database(join(indexFolder, "lock.sqlite"));
  try {
    database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    release: () => {
      // libsql closes a connection for good only when its statements have been collected as garbage. The lock is in
      // the transaction, so that is what has to end.
      database.exec("ROLLBACK");
      database.close();
    },
  };
}
