/**
 * A share of each turn of the event loop, for work that begins anew again and again within one turn, each time with
 * little to do: no single piece would ever notice that the whole holds everybody up.
 */
export class TurnSlice {
  readonly #ms: number;
  #endsAt = 0;
  /** Set until the event loop has turned. */
  #turn: NodeJS.Immediate | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Whether this turn's share is used up. It begins when this is asked for the first time in a turn. */
  get isOver(): boolean {
    const now = performance.now();
    if (this.#turn !== undefined) return now > this.#endsAt;
    this.#endsAt = now + this.#ms;
    this.#turn = setImmediate(() => (this.#turn = undefined));
    return false;
  }

  /** Nobody asks any more. */
  end(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
  }
}
