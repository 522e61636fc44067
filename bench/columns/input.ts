/** What every contestant starts from, and the check of what it ends with. */

/** Numbers from 0, in memory that all threads see. */
export function sharedInput(items: number): Float32Array<SharedArrayBuffer> {
  const input = new Float32Array(new SharedArrayBuffer(items * Float32Array.BYTES_PER_ELEMENT));
  for (let at = 0; at < items; at++) input[at] = at;
  return input;
}

/** A sample of it: that each part was done by somebody. */
export function checkRoots(input: Float32Array, output: Float32Array): void {
  if (output.length !== input.length) throw new Error(`${output.length} roots of ${input.length} numbers`);
  for (let at = 0; at < input.length; at += 997) {
    if (output[at] !== Math.fround(Math.sqrt(input[at] as number))) throw new Error(`element ${at} is ${output[at]}`);
  }
}
