/** Every reason for which the indexer refuses to work or gives up. The text is for readers of this table. */
export const INDEXER_ERROR_CODES = {
  USAGE: "the command line does not make sense",
  FOLDER_NOT_FOUND: "there is no such folder",
  FOLDER_NOT_A_DIRECTORY: "the path is a file or something else",
  FOLDER_UNREADABLE: "the folder may not be listed",
  FOLDER_WITHOUT_PHOTOS: "the folder holds no file that looks like a photo",
  NOTHING_READABLE: "every photo of the folder is broken; the index is left as it was",
  MANY_PHOTOS_VANISHED: "much of the published index is gone from the folder: an unmounted disk looks like this",
  INDEX_IS_ALBUM: "the index would lie in the folder of the photos itself, rather than in one of its own",
  INDEX_OF_OTHER_FOLDER: "the index belongs to another folder",
  INDEX_BUSY: "another run is at work on the same index",
  INDEX_MISSING: "there is no index of the folder yet",
  INDEX_DAMAGED: "the catalog is not a database, or not one of ours",
  INDEX_NOT_WRITABLE: "the index folder cannot be created or written to",
  MODEL_UNREADABLE: "the model file cannot be read",
  MODEL_UNUSABLE: "the model could not be opened, or does not take or give what its settings say",
  SAMPLE_IN_THE_WAY: "the sample album's folder holds something else",
} as const;

export type IndexerErrorCode = keyof typeof INDEXER_ERROR_CODES;

/** An end that the indexer foresaw: `message` names the thing, `code` is for programs. */
export class IndexerError extends Error {
  static {
    this.prototype.name = "IndexerError";
  }
  readonly code: IndexerErrorCode;
  constructor(code: IndexerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The `code` of a system error (`ENOENT`, …), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the system said, without the call and the path that Node adds: whoever shows it has named the file already. */
export function systemReason(error: unknown): string {
  return messageOf(error).replace(/, \w+ '[^]*'$/, "");
}
