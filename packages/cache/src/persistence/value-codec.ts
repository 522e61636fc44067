/**
 * A value as bytes and back: what a structured clone keeps survives, and a Buffer stays one.
 *
 * Not `v8.serialize` as it is, because of what its other half does: views that it restores lie in the memory of what
 * was read, so that one small array would keep a whole file in memory, and a transfer of it would take its neighbours
 * along. Without special treatment, V8 would on the other hand save all the memory that a view lies in: 8 KiB for each
 * small Buffer, for they share a pool. So views are written here, each by itself, and get memory of their own.
 */
import { Deserializer, Serializer, serialize } from "node:v8";

type ViewMaker = new (buffer: ArrayBuffer) => ArrayBufferView;

// Saved is the place in this list: append only. Float16Array is there in newer Nodes.
const VIEWS: readonly string[] = [
  "Buffer",
  "DataView",
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "Float16Array",
];

/** Of what this V8 writes. A newer one reads what an older one wrote, not the other way round. */
export const wireVersion: number = serialize(0)[1] ?? 0;

/** @throws {Error} what cannot be serialised: functions, promises, handles. */
export function encodeValue(value: unknown): Buffer {
  const writer = new ValueWriter();
  writer.writeHeader();
  writer.writeValue(value);
  return writer.releaseBuffer();
}

/** @throws {Error} bytes that this V8 cannot read. */
export function decodeValue(bytes: Uint8Array): unknown {
  const reader = new ValueReader(bytes);
  reader.readHeader();
  return reader.readValue();
}

/** Documented, but not in the types. */
interface ViewsSwitch {
  _setTreatArrayBufferViewsAsHostObjects(isOn: boolean): void;
}

class ValueWriter extends Serializer {
  constructor() {
    super();
    (this as unknown as ViewsSwitch)._setTreatArrayBufferViewsAsHostObjects(true);
  }

  /** Called by V8 for views, and for objects that live outside of JavaScript, which have no content to save. */
  _writeHostObject(object: object): void {
    if (!ArrayBuffer.isView(object)) throw new TypeError(`a ${object.constructor.name} cannot be serialised`);
    const name = Buffer.isBuffer(object) ? "Buffer" : (object as { [Symbol.toStringTag]?: string })[Symbol.toStringTag];
    const kind = VIEWS.indexOf(name ?? "");
    if (kind === -1) throw new TypeError(`a ${String(name)} cannot be serialised`);
    this.writeUint32(kind);
    this.writeUint64(Math.floor(object.byteLength / 2 ** 32), object.byteLength >>> 0);
    this.writeRawBytes(new Uint8Array(object.buffer, object.byteOffset, object.byteLength));
  }
}

class ValueReader extends Deserializer {
  /** Called by V8 for what `_writeHostObject` wrote. */
  _readHostObject(): ArrayBufferView {
    const kind = VIEWS[this.readUint32()];
    const [high, low] = this.readUint64();
    const bytes = this.readRawBytes(high * 2 ** 32 + low);
    const own = new Uint8Array(bytes.byteLength);
    own.set(bytes);
    if (kind === "Buffer") return Buffer.from(own.buffer);
    const View = (globalThis as unknown as Record<string, ViewMaker | undefined>)[kind ?? ""];
    if (View === undefined) throw new TypeError(`this Node has no ${kind ?? "such view"}`);
    return new View(own.buffer);
  }
}
