/**
 * A clone of a view copies the whole buffer behind it: ten bytes of a 10 MiB file, or a small `Buffer` with the
 * pool that it lies in. So views that show little of their buffer are cut out before they travel.
 */

/** Views that show at least half of their buffer travel as they are: cutting would copy more than it saves. */
function isWasteful(view: ArrayBufferView): boolean {
  return view.byteLength * 2 < view.buffer.byteLength && !(view.buffer instanceof SharedArrayBuffer);
}

/** The value itself, or a copy of it that has a buffer of its own. Looks one level into plain objects and arrays. */
export function cutView(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return isWasteful(value) ? copyOf(value) : value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return value;
  let cut: Record<string, unknown> | undefined;
  const fields = value as Record<string, unknown>;
  for (const key of Object.keys(fields)) {
    const field = fields[key];
    if (ArrayBuffer.isView(field) && isWasteful(field)) {
      cut ??= (Array.isArray(fields) ? [...(fields as unknown[])] : { ...fields }) as Record<string, unknown>;
      cut[key] = copyOf(field);
    }
  }
  return cut ?? value;
}

/** Whether values of this shape need `cutView` at all. */
export function holdsView(value: object): boolean {
  return Object.values(value).some((field) => ArrayBuffer.isView(field));
}

function copyOf(view: ArrayBufferView): ArrayBufferView {
  if (view instanceof DataView) {
    return new DataView(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  }
  // The typed arrays' own slice: that of `Buffer` makes another view.
  return Uint8Array.prototype.slice.call(view);
}
