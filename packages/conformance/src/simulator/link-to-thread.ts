/** What the main thread keeps of one thread, as the engine's `thread-link.ts` does: its recipes, and open questions. */
export class LinkToThread {
  /** The recipes that the thread was given, least recently used first. */
  readonly #known = new Set<number>();
  #newest: number | undefined;
  #asked: readonly number[] | undefined;
  #mustAskAgain = false;

  knows(recipe: number): boolean {
    return this.#known.has(recipe);
  }

  get count(): number {
    return this.#known.size;
  }

  /** A batch with this recipe is sent: whether that is new to the thread. */
  use(recipe: number): boolean {
    if (recipe === this.#newest) return false;
    this.#newest = recipe;
    const isNew = !this.#known.delete(recipe);
    this.#known.add(recipe);
    return isNew;
  }

  /** The recipes that are too many now, but for those that the thread has a batch of. */
  forgetBeyond(keepWarm: number, isInUse: (recipe: number) => boolean): readonly number[] {
    const tooMany = this.#known.size - keepWarm;
    const forgotten = [...this.#known].filter((recipe) => !isInUse(recipe)).slice(0, tooMany);
    for (const recipe of forgotten) this.#known.delete(recipe);
    return forgotten;
  }

  /** Whether the thread is to be asked now which batches it holds: one question at a time. */
  ask(batches: readonly number[]): boolean {
    this.#mustAskAgain = this.#asked !== undefined;
    if (this.#mustAskAgain) return false;
    this.#asked = batches;
    return true;
  }

  /** The answer: of what was asked about, what is not there; and whether there is more to ask. */
  heard(held: readonly number[]): { readonly missing: readonly number[]; readonly mustAskAgain: boolean } {
    const missing = (this.#asked ?? []).filter((number) => !held.includes(number));
    const mustAskAgain = this.#mustAskAgain;
    this.#asked = undefined;
    this.#mustAskAgain = false;
    return { missing, mustAskAgain };
  }
}
