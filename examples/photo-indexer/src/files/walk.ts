import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { systemCode, systemReason } from "../errors.js";
import { kindOfName } from "./photo-names.js";

/** A file that looks like a photo, as it was when the walk passed it. */
export interface FoundPhoto {
  readonly kind: "photo";
  /** Relative to the root, with `/` between folders on every system. */
  readonly path: string;
  readonly absolutePath: string;
  readonly sizeBytes: number;
  /** Nanoseconds since 1970 as decimal digits: a number cannot hold them exactly. */
  readonly modifiedNs: string;
}

/** A photo, or part of the tree, that cannot be used; known without opening it. */
export interface FoundProblem {
  readonly kind: "problem";
  readonly path: string;
  readonly code: "FILE_UNREADABLE" | "FOLDER_UNREADABLE" | "UNSUPPORTED_FORMAT" | "FILE_EMPTY" | "TOO_DEEP";
  readonly reason: string;
}

export type Found = FoundPhoto | FoundProblem;

/** What the walk passed over, counted while it goes. */
export interface WalkTally {
  folders: number;
  hidden: number;
  links: number;
  /** Sockets, pipes, devices. */
  special: number;
  /** Regular files that are no photos by their name. */
  otherFiles: number;
}

export interface WalkOptions {
  readonly signal: AbortSignal;
  /** Real paths of folders to leave out: an index that lies inside the album must not be indexed. */
  readonly leaveOut?: readonly string[];
  readonly tally?: WalkTally;
}

/**
 * So many files are looked at ahead of the reader. Their stats wait in the same queue of libuv as the decoding of photos:
 * one at a time, the walk would find no more files than are decoded, and be what everything waits for.
 */
const LOOK_AHEAD = 32;

/** Deeper trees than this are a mistake or an attack; the path would be near the system's limit. */
const MAX_DEPTH = 128;

export function emptyTally(): WalkTally {
  return { folders: 0, hidden: 0, links: 0, special: 0, otherFiles: 0 };
}

/**
 * Yields the photos below `root` as they are found; nothing is collected, so a tree of any size takes no memory.
 *
 * Symbolic links are never followed (a link can lead out of the album, or round in a circle), hidden files and folders
 * are passed over, and only regular files count. A folder that cannot be listed is one problem, not the end.
 *
 * @throws the signal's reason, at the next entry.
 */
export async function* walk(root: string, options: WalkOptions): AsyncGenerator<Found, void, undefined> {
  const tally = options.tally ?? emptyTally();
  const ahead: Promise<Found>[] = [];
  for await (const entry of entries(root, options, tally)) {
    ahead.push("kind" in entry ? Promise.resolve(entry) : examine(root, entry.path));
    const first = ahead.length < LOOK_AHEAD ? undefined : ahead.shift();
    if (first !== undefined) yield await first;
  }
  for (const one of ahead) {
    options.signal.throwIfAborted();
    yield await one;
  }
}

/** How many photos lie below `root`: the same walk without a look at the files, so that it runs well ahead. */
export async function countPhotos(root: string, options: WalkOptions): Promise<number> {
  let count = 0;
  for await (const entry of entries(root, options, emptyTally())) if (!("kind" in entry)) count++;
  return count;
}

/** Whether anything below `root` looks like a photo; stops at the first. */
export async function holdsPhotos(root: string, options: WalkOptions): Promise<boolean> {
  for await (const entry of entries(root, options, emptyTally())) if (!("kind" in entry)) return true;
  return false;
}

/** What a file is. Never rejects. */
async function examine(root: string, path: string): Promise<Found> {
  if (kindOfName(path) === "raw") {
    return { kind: "problem", path, code: "UNSUPPORTED_FORMAT", reason: "a camera's raw format" };
  }
  const absolutePath = join(root, path);
  try {
    const stats = await lstat(absolutePath, { bigint: true });
    const sizeBytes = Number(stats.size);
    if (sizeBytes === 0) return { kind: "problem", path, code: "FILE_EMPTY", reason: "the file has no bytes" };
    return { kind: "photo", path, absolutePath, sizeBytes, modifiedNs: String(stats.mtimeNs) };
  } catch (error) {
    return { kind: "problem", path, code: "FILE_UNREADABLE", reason: reasonOf(error, path) };
  }
}

/** Photo-like files, and folders that could not be listed. Depth first, by a stack rather than by recursion. */
async function* entries(
  root: string,
  options: WalkOptions,
  tally: WalkTally,
): AsyncGenerator<{ readonly path: string } | FoundProblem, void, undefined> {
  const waiting: { readonly path: string; readonly depth: number }[] = [{ path: "", depth: 0 }];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    options.signal.throwIfAborted();
    const absolute = join(root, folder.path);
    if (options.leaveOut?.includes(absolute)) continue;
    if (folder.depth > MAX_DEPTH) {
      yield { kind: "problem", path: folder.path, code: "TOO_DEEP", reason: `more than ${MAX_DEPTH} folders deep` };
      continue;
    }
    tally.folders++;
    try {
      for await (const entry of await opendir(absolute, { bufferSize: 256 })) {
        options.signal.throwIfAborted();
        const path = folder.path === "" ? entry.name : `${folder.path}/${entry.name}`;
        if (entry.name.startsWith(".")) tally.hidden++;
        else if (entry.isDirectory()) waiting.push({ path, depth: folder.depth + 1 });
        else if (entry.isSymbolicLink()) tally.links++;
        else if (!entry.isFile()) tally.special++;
        else if (kindOfName(entry.name) === "other") tally.otherFiles++;
        else yield { path };
      }
    } catch (error) {
      options.signal.throwIfAborted();
      const reason = reasonOf(error, folder.path);
      yield { kind: "problem", path: folder.path || ".", code: "FOLDER_UNREADABLE", reason };
    }
  }
}

/** Linux takes any bytes as a name. Those that are no UTF-8 come as U+FFFD, and nothing is there under the new name. */
function reasonOf(error: unknown, path: string): string {
  const lost = systemCode(error) === "ENOENT" && path.includes("\ufffd");
  return lost ? "its name, or that of a folder above it, is not UTF-8" : systemReason(error);
}
