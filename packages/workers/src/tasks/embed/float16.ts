/** Half-precision floats on a runtime that has none (Node 20 and 22). */
import type { Tensor, TensorConstructor } from "onnxruntime-node";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The nearest half-precision float, ties to even, as its 16 bits. Beyond 65504 it is infinity. */
export function toFloat16(value: number): number {
  float[0] = value;
  const word = bits[0] as number;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude >= 0x7f800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  // Below 2^-14 a half float has steps of 2^-24: adding 0.5 lets the processor round to them.
  if (magnitude < 0x38800000) {
    float[0] = Math.abs(value) + 0.5;
    return sign | ((bits[0] as number) - 0x3f000000);
  }
  // 13 bits go; half of the last that stays is added, less one where that last bit is even.
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return rounded >= 0x47800000 ? sign | 0x7c00 : sign | ((rounded - 0x38000000) >>> 13);
}

/** The value of a half-precision float's 16 bits. */
export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * A float16 tensor over raw bits.
 *
 * Where the runtime has Float16Array (Node 24), onnxruntime-common 1.30 wraps the data in one, and the native part of
 * onnxruntime-node 1.30 does not know that type: every run fails with "not enough space: expected …, got 0". The native
 * part reads the property `data`, so the bits are put back there, as the type that it takes on Node 20 and 22.
 */
export function float16Tensor(
  TensorClass: TensorConstructor,
  data: Uint16Array<ArrayBuffer>,
  dims: readonly number[],
): Tensor {
  const tensor = new TensorClass("float16", data, dims);
  if (!(tensor.data instanceof Uint16Array)) Object.defineProperty(tensor, "data", { value: data });
  return tensor;
}
