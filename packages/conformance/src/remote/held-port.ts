/**
 * Two ends of a channel, as ports of the web, whose messages arrive when the test says so: what is on its way can be
 * counted, and a side that is blocked or gone can be played.
 */
type Listener = (event: { readonly data: unknown }) => void;

export class HeldPort {
  readonly #clone: (message: unknown) => unknown;
  readonly #listeners = new Map<string, Set<Listener>>();
  #other: HeldPort | undefined;
  /** Messages to this end that have not arrived. */
  readonly waiting: unknown[] = [];
  /** All messages to this end, ever. */
  received = 0;
  isHeld = false;
  isClosed = false;
  #isPassing = false;

  constructor(clone: (message: unknown) => unknown) {
    this.#clone = clone;
  }

  static pair(clone: (message: unknown) => unknown = structuredClone): [HeldPort, HeldPort] {
    const [one, two] = [new HeldPort(clone), new HeldPort(clone)];
    one.#other = two;
    two.#other = one;
    return [one, two];
  }

  postMessage(message: unknown): void {
    const copy = this.#clone(message);
    if (this.isClosed || this.#other === undefined) return;
    this.#other.waiting.push(copy);
    this.#other.#schedule();
  }

  addEventListener(event: string, listener: Listener): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }

  removeEventListener(event: string, listener: Listener): void {
    this.#listeners.get(event)?.delete(listener);
  }

  listenerCount(event: string): number {
    return this.#listeners.get(event)?.size ?? 0;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const other = this.#other;
    if (other !== undefined) setImmediate(() => other.#die());
  }

  /** Messages to this end wait, or do no more. */
  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
    this.#schedule();
  }

  #die(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#emit("close", undefined);
  }

  #schedule(): void {
    if (this.#isPassing || this.isHeld) return;
    this.#isPassing = true;
    setImmediate(() => {
      this.#isPassing = false;
      while (this.waiting.length > 0 && !this.isHeld && !this.isClosed) {
        this.received++;
        this.#emit("message", this.waiting.shift());
      }
    });
  }

  #emit(event: string, data: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener({ data });
  }
}
