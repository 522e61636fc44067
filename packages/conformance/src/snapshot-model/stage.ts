/** A snapshot, its loads, and what it should be by a simple model: compared at each look, and whenever a load is over. */
import assert from "node:assert/strict";
import { Snapshot } from "@threadmill/cache";
import { type Entry, Feed } from "./feed.js";

export class SnapshotStage {
  readonly snapshot: Snapshot<string, number>;
  #feed = new Feed();
  #callers: { readonly controller: AbortController; readonly answer: Promise<string> }[] = [];
  /** The model: what is current, and what is being loaded with what was patched meanwhile. */
  #current: Map<string, number> | undefined;
  #loading: { readonly brought: Map<string, number>; readonly patched: Map<string, number | undefined> } | undefined;
  #generation = 0;
  readonly #views: [ReadonlyMap<string, number>, Map<string, number>][] = [];
  readonly #events: string[] = [];

  constructor(maxSliceEntries: number) {
    this.snapshot = new Snapshot<string, number>({ load: () => this.#feed, maxSliceEntries });
    for (const name of ["start", "swap", "fail", "abort"] as const)
      this.snapshot.on(name, () => this.#events.push(name));
  }

  reload(): void {
    if (this.#loading === undefined) {
      this.#feed = new Feed();
      this.#loading = { brought: new Map(), patched: new Map() };
    }
    const controller = new AbortController();
    const answer = this.snapshot.reload({ signal: controller.signal }).then(
      (value) => `a value of ${value.size}`,
      (error: unknown) => (error as Error).message,
    );
    this.#callers.push({ controller, answer });
  }

  bring(entry: Entry): void {
    if (this.#loading === undefined) return;
    this.#loading.brought.set(...entry);
    this.#feed.give(entry);
  }

  patch(key: string, value: number): void {
    this.#loading?.patched.set(key, value);
    this.#current?.set(key, value);
    assert.equal(this.snapshot.patch(key, value), this.#current !== undefined || this.#loading !== undefined);
  }

  remove(key: string): void {
    this.#loading?.patched.set(key, undefined);
    assert.equal(this.snapshot.remove(key), this.#current?.delete(key) ?? false);
  }

  look(): void {
    const { current } = this.snapshot;
    assert.deepEqual(current === undefined ? undefined : new Map(current), this.#current);
    assert.equal(current?.size, this.#current?.size);
    if (current !== undefined) this.#views.push([current, new Map(current)]);
    assert.deepEqual(
      [this.snapshot.isLoading, this.snapshot.generation],
      [this.#loading !== undefined, this.#generation],
    );
  }

  async succeed(): Promise<void> {
    if (this.#loading === undefined) return;
    const { brought, patched } = this.#loading;
    this.#feed.end();
    const value = new Map(brought);
    for (const [key, one] of patched) {
      if (one === undefined) value.delete(key);
      else value.set(key, one);
    }
    await this.#over("swap", `a value of ${value.size}`);
    this.#current = value;
    this.#generation++;
  }

  async fail(): Promise<void> {
    if (this.#loading === undefined) return;
    this.#feed.end(new Error("the source is gone"));
    await this.#over("fail", "the source is gone");
  }

  async abort(): Promise<void> {
    if (this.#loading === undefined) return;
    for (const { controller } of this.#callers) controller.abort(new Error("left"));
    await this.#over("abort", "left");
  }

  end(): void {
    for (const [view, expected] of this.#views) assert.deepEqual(new Map(view), expected);
    if (this.#loading !== undefined) this.#feed.end();
  }

  async #over(event: string, answer: string): Promise<void> {
    const answers = await Promise.all(this.#callers.map((caller) => caller.answer));
    assert.deepEqual(new Set(answers), new Set([answer]));
    assert.deepEqual(this.#events.splice(0), ["start", event]);
    this.#callers = [];
    this.#loading = undefined;
  }
}
