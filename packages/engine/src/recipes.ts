/** Numbers for tasks with their options: equal ones share warm threads and what is known of their speed. */
import { Serializer } from "node:v8";
import { InvalidArgumentError } from "@threadmill/protocol";
import type { TaskReference } from "./task.js";

export interface Recipe {
  readonly id: number;
  readonly url: string;
  readonly exportName: string;
  readonly options: unknown;
}

/** Recipes without a job that are remembered, with their speed. */
const MAX_IDLE = 256;

export class Recipes {
  readonly #byKey = new Map<string, { readonly recipe: Recipe; users: number }>();
  readonly #onForgotten: (recipe: Recipe) => void;
  #nextId = 1;

  constructor(onForgotten: (recipe: Recipe) => void) {
    this.#onForgotten = onForgotten;
  }

  /**
   * The recipe for this task and options; to be released when its job is over.
   *
   * @throws {InvalidArgumentError} options that cannot travel to a thread.
   */
  acquire(
    reference: TaskReference<never, unknown, unknown>,
    options: unknown,
  ): { recipe: Recipe; release: () => void } {
    const key = `${reference.url}\n${reference.exportName}\n${contentKey(options)}`;
    let entry = this.#byKey.get(key);
    if (entry === undefined) {
      const { url, exportName } = reference;
      // Cloned now: what the caller changes later must not reach threads that start later.
      entry = { recipe: { id: this.#nextId++, url, exportName, options: structuredClone(options) }, users: 0 };
    } else {
      this.#byKey.delete(key);
    }
    this.#byKey.set(key, entry);
    const held = entry;
    held.users++;
    return {
      recipe: held.recipe,
      release: () => {
        held.users--;
        this.#trim();
      },
    };
  }

  #trim(): void {
    if (this.#byKey.size <= MAX_IDLE) return;
    for (const [key, { recipe, users }] of this.#byKey) {
      if (users > 0) continue;
      this.#byKey.delete(key);
      this.#onForgotten(recipe);
      return;
    }
  }
}

const sharedIds = new WeakMap<SharedArrayBuffer, number>();
let nextSharedId = 1;

/** Serialises by content, but shared memory by identity: threads see the same bytes, whatever they become. */
class ContentSerializer extends Serializer {
  // Documented by Node, missing in its types.
  declare _setTreatArrayBufferViewsAsHostObjects: (flag: boolean) => void;
  _getDataCloneError = Error;
  constructor() {
    super();
    // Else a view is written with the whole buffer behind it, and equal Buffers from a pool differ.
    this._setTreatArrayBufferViewsAsHostObjects(true);
  }
  _getSharedArrayBufferId(buffer: SharedArrayBuffer): number {
    let id = sharedIds.get(buffer);
    if (id === undefined) {
      id = nextSharedId++;
      sharedIds.set(buffer, id);
    }
    return id;
  }
  _writeHostObject(view: ArrayBufferView): void {
    this.writeValue(view.constructor.name);
    this.writeUint32(view.byteLength);
    if (view.buffer instanceof SharedArrayBuffer) this.writeUint32(this._getSharedArrayBufferId(view.buffer));
    else this.writeRawBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }
}

function contentKey(options: unknown): string {
  if (options === undefined) return "";
  if (typeof options === "object" && options !== null) {
    for (const [name, value] of Object.entries(options)) {
      // A clone turns these into empty objects without a word.
      if (value instanceof URL || value instanceof AbortSignal) {
        const advice = value instanceof URL ? "pass its href" : "the run's own signal reaches handlers as ctx.signal";
        throw new InvalidArgumentError(`run: options.${name} cannot travel to a thread; ${advice}`);
      }
    }
  }
  try {
    const serializer = new ContentSerializer();
    serializer.writeHeader();
    serializer.writeValue(options);
    return serializer.releaseBuffer().toString("latin1");
  } catch (error) {
    throw new InvalidArgumentError("run: options cannot travel to a thread; pass plain data", { cause: error });
  }
}
