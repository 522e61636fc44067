/** Reads a model's file once, on the main thread, so that all threads take it from the same memory. */
import { readFile } from "node:fs/promises";

/**
 * Reads a model into shared memory, to be given to every thread as the option `model`: the file is read once, and the
 * options that travel to the threads carry a reference instead of its bytes. No native package is loaded.
 *
 * Each thread's session then makes its own form of the weights, as ONNX Runtime does; while it is being made, the thread
 * holds one more copy of the file (ONNX Runtime 1.30 refuses shared memory on Node 20, 22 and 24).
 *
 * A model with external data (weights in a file beside it) must be given by its path instead.
 *
 * @throws the system's error, where the file cannot be read.
 */
export async function readModel(path: string | URL): Promise<SharedArrayBuffer> {
  const content = await readFile(path);
  const shared = new SharedArrayBuffer(content.byteLength);
  new Uint8Array(shared).set(content);
  return shared;
}
