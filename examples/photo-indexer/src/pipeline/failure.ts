import type { TaskError } from "@threadmill/engine";
import { systemCode, systemReason } from "../errors.js";

/** Why one photo is no part of the index. */
export interface Failure {
  readonly code: string;
  readonly reason: string;
  /**
   * Whether it is the content's own fault. Then it is remembered with the content's hash, under any name; else (the file
   * could not be opened, the machine was out of memory) the next run tries again.
   */
  readonly lasting: boolean;
}

const LASTING = new Set([
  "NOT_AN_IMAGE",
  "UNSUPPORTED_FORMAT",
  "IMAGE_CORRUPT",
  "IMAGE_TOO_LARGE",
  "IMAGE_TIMEOUT",
  "FILE_EMPTY",
  "FILE_TOO_LARGE",
  "INFERENCE_FAILED",
  "TASK_TIMEOUT",
  "THREAD_LOST",
]);

/** Puts an item's error into a code and a text for the report. The task's own code counts more than "it threw". */
export function failureOf(error: TaskError, absolutePath: string): Failure {
  const own = error.code === "TASK_FAILED" ? error.cause : error;
  const code = systemCode(own) ?? error.code;
  // The report names the file already, by its path in the album, and the code says that it cannot be read.
  const text = systemReason(own)
    .replaceAll(absolutePath, "")
    .replace(/^(?:[\s:]|is |cannot be read: )+/, "");
  return { code, reason: text === "" ? code : text, lasting: LASTING.has(code) };
}
