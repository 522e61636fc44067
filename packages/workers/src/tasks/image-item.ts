/** What the image tasks take as an item, and how its bytes are brought to memory. */
import type { FileHandle } from "node:fs/promises";
import { ItemError } from "./item-error.js";
import { openFile, unreadable, type OpenFileOptions } from "./open-file.js";

/** An image: the path of its file, or its bytes. Bytes are copied to the thread unless they are shared memory. */
export type ImageItem = string | { readonly path: string } | { readonly bytes: Uint8Array };

export interface ReadImageOptions extends OpenFileOptions {
  /** Files and byte arrays above this are refused. */
  readonly maxFileBytes: number;
}

/** 256 MiB: above any photo, and far below what a thread with four items in flight may hold. */
export const DEFAULT_MAX_FILE_BYTES = 256 * 1024 * 1024;
/** Node's largest read in one call is 2 GiB; the images' sizes stay below it. */
export const LARGEST_MAX_FILE_BYTES = 2 ** 31 - 1;

/** One read call asks for this much at the most, so that a cancel is seen between two of them. */
const CHUNK_BYTES = 8 * 1024 * 1024;
/** What is read first, to be looked at before the rest: a film of 200 MiB is refused by its first bytes. */
const HEAD_BYTES = 256 * 1024;

/** The part of a task's context that reading looks at. */
interface Cancellable {
  throwIfCancelled(): void;
}

/** The bytes of an image and its name for messages. */
export interface ImageBytes {
  readonly bytes: Uint8Array;
  readonly label: string;
  /** Size of the whole image; `bytes` is its first part where no more was wanted. */
  readonly sizeBytes: number;
}

/**
 * Reads an image into memory, through one handle whose kind and size were checked: sharp would open the path a second
 * time, and hold a libuv thread for ever if it had become a named pipe.
 *
 * @param needsRest is shown the first 256 KiB, or the whole image where it is smaller or was given as bytes. It throws
 * to refuse the image, and answers whether the rest is to be read.
 * @throws {ItemError} `INVALID_ITEM`, `FILE_UNREADABLE`, `NOT_A_FILE`, `FILE_EMPTY`, `FILE_TOO_LARGE`.
 * @throws {TransientItemError} `FILE_UNREADABLE`, where another attempt may succeed.
 * @throws the context's reason, between two reads, when the work is no longer wanted.
 */
export async function readImage(
  item: ImageItem,
  options: ReadImageOptions,
  ctx: Cancellable,
  needsRest: (head: Uint8Array, label: string) => boolean,
): Promise<ImageBytes> {
  const source = readItem(item);
  ctx.throwIfCancelled();
  if (typeof source !== "string") {
    refuseSize("the image", source.byteLength, options.maxFileBytes);
    needsRest(source, "the image");
    return { bytes: source, label: "the image", sizeBytes: source.byteLength };
  }
  const { handle, sizeBytes } = await openFile(source, options);
  try {
    refuseSize(source, sizeBytes, options.maxFileBytes);
    const head = await readFully(handle, source, Buffer.allocUnsafeSlow(Math.min(sizeBytes, HEAD_BYTES)), 0, ctx);
    if (!needsRest(head, source) || head.length === sizeBytes) return { bytes: head, label: source, sizeBytes };
    const whole = Buffer.allocUnsafeSlow(sizeBytes);
    whole.set(head);
    return { bytes: await readFully(handle, source, whole, head.length, ctx), label: source, sizeBytes };
  } finally {
    await handle.close();
  }
}

/**
 * Fills `bytes` from `length` on, and answers the part that the file had. Its callers' buffers are not from Node's
 * pool: a small view of a shared 8 KiB would keep it alive, and other items' bytes with it.
 */
async function readFully(
  handle: FileHandle,
  path: string,
  bytes: Buffer,
  from: number,
  ctx: Cancellable,
): Promise<Uint8Array> {
  let length = from;
  while (length < bytes.length) {
    ctx.throwIfCancelled();
    const wanted = Math.min(CHUNK_BYTES, bytes.length - length);
    const { bytesRead } = await handle.read(bytes, length, wanted, length).catch((cause: unknown) => {
      throw unreadable(path, cause);
    });
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

/** A path or bytes, whatever form the item has. */
function readItem(item: ImageItem): string | Uint8Array {
  const given: unknown = item;
  if (typeof given === "object" && given !== null) {
    if ("bytes" in given && given.bytes instanceof Uint8Array) return given.bytes;
    if ("path" in given) return checkPath(given.path);
  }
  return checkPath(given);
}

/** @throws {ItemError} `INVALID_ITEM`: not a string, empty, or with a zero byte that no file system takes. */
export function checkPath(path: unknown): string {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return path;
  const shown = typeof path === "string" ? JSON.stringify(path) : typeof path;
  throw new ItemError("INVALID_ITEM", `an item must be a path, { path } or { bytes: Uint8Array }, not ${shown}`);
}

function refuseSize(label: string, sizeBytes: number, maxFileBytes: number): void {
  if (sizeBytes === 0) throw new ItemError("FILE_EMPTY", `${label} is empty`);
  if (sizeBytes <= maxFileBytes) return;
  throw new ItemError("FILE_TOO_LARGE", `${label} has ${sizeBytes} bytes; maxFileBytes is ${maxFileBytes}`);
}
