/** Handlers for columns: the one that is measured, and others that its threads serve before. */
import { defineTask } from "@threadmill/workers";

export const roots = defineTask({
  output: Float32Array,
  columns: (input: Float32Array, output: Float32Array): void => {
    for (let at = 0; at < input.length; at++) output[at] = Math.sqrt(input[at] as number);
  },
});

export const halves = defineTask({
  output: Float64Array,
  columns: (input: Int32Array, output: Float64Array): void => {
    for (let at = 0; at < input.length; at++) output[at] = (input[at] as number) / 2;
  },
});

export function addOne(value: number): number {
  return value + 1;
}

export function upperCase(text: string): string {
  return text.toUpperCase();
}
