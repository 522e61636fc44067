import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { IndexerError, messageOf, systemCode } from "../errors.js";
import { holdsPhotos } from "./walk.js";

/**
 * Makes sure that `folder` can be indexed, before anything is created or started, and answers its real path.
 *
 * @param indexFolder real path of where the index is to go, if that is known: what lies there does not count.
 * @throws {IndexerError} `FOLDER_NOT_FOUND`, `FOLDER_NOT_A_DIRECTORY`, `FOLDER_UNREADABLE`, `FOLDER_WITHOUT_PHOTOS`,
 * `INDEX_IS_ALBUM`.
 */
export async function checkAlbumFolder(folder: string, signal: AbortSignal, indexFolder?: string): Promise<string> {
  const root = await realFolder(folder);
  if (root === indexFolder) {
    throw new IndexerError(
      "INDEX_IS_ALBUM",
      `the index of ${folder} cannot lie among the photos; give it another folder`,
    );
  }
  if (!(await holdsPhotos(root, { signal, leaveOut: indexFolder === undefined ? [] : [indexFolder] }))) {
    throw new IndexerError("FOLDER_WITHOUT_PHOTOS", `there are no photos in ${folder} or its folders`);
  }
  return root;
}

/** The real path of a folder that exists and may be listed. */
async function realFolder(folder: string): Promise<string> {
  try {
    const root = await realpath(folder);
    if (!(await stat(root)).isDirectory()) {
      throw new IndexerError(
        "FOLDER_NOT_A_DIRECTORY",
        `${folder} is not a folder; give the folder that holds the photos`,
      );
    }
    await access(root, constants.R_OK | constants.X_OK);
    return root;
  } catch (error) {
    if (error instanceof IndexerError) throw error;
    const code = systemCode(error);
    if (code === "ENOENT") throw new IndexerError("FOLDER_NOT_FOUND", `there is no folder ${folder}`, { cause: error });
    if (code === "ENOTDIR") {
      throw new IndexerError("FOLDER_NOT_A_DIRECTORY", `${folder} is not a folder: part of the path is a file`, {
        cause: error,
      });
    }
    throw new IndexerError("FOLDER_UNREADABLE", `${folder} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
