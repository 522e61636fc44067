/**
 * Why a ready task failed one item: a stable code for a report or a retry rule, and a text for a person. Branch on
 * `code`; the classes do not survive the way between threads.
 */
import { FinalError } from "@threadmill/protocol";

/** Every code that the ready tasks fail an item with. The text is for readers of this table; messages say more. */
export const ITEM_ERROR_CODES = {
  INVALID_ITEM: "the item is not of the kind that the task takes",
  FILE_UNREADABLE: "the file cannot be opened or read; `cause.code` is the system's reason",
  FILE_CHANGED: "the file was written to while it was read",
  FILE_TOO_LARGE: "the file has more bytes than the task may read",
  FILE_EMPTY: "the file has no bytes",
  NOT_A_FILE: "the path is a folder, a pipe, a device, a socket, or a symbolic link that may not be followed",
  NOT_AN_IMAGE: "the bytes are no image format known to this package",
  UNSUPPORTED_FORMAT: "a known image format that the installed sharp cannot read",
  IMAGE_CORRUPT: "the image is damaged or cut short",
  IMAGE_TOO_LARGE: "the image has more pixels than allowed",
  IMAGE_TIMEOUT: "the image took longer than timeoutSeconds",
  OUT_OF_MEMORY: "libvips could not get the memory it asked for",
  INFERENCE_FAILED: "the model could not be run on this item, or answered with numbers that are not finite",
} as const;

export type ItemErrorCode = keyof typeof ITEM_ERROR_CODES;

/** A failure that no retry can mend: the item itself is at fault. */
export class ItemError extends FinalError {
  static {
    this.prototype.name = "ItemError";
  }
  readonly code: ItemErrorCode;
  constructor(code: ItemErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A failure that another attempt may mend: a busy machine, a network drive, a file still being written. */
export class TransientItemError extends Error {
  static {
    this.prototype.name = "TransientItemError";
  }
  readonly code: ItemErrorCode;
  constructor(code: ItemErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
