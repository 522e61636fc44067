/**
 * The control block: the only memory that the main thread and its threads share. This file holds its layout, the
 * main thread's side (`ControlBlock`), the thread's side (`ControlRow`) and the reasons why they are right.
 *
 * A row per slot, on two cache lines, so that neither side writes where the other one spins:
 *
 *     word  0 incarnation      which life of the slot the row belongs to       written by the main thread
 *           1 number of even batch     2 limit of even batch
 *           3 number of odd batch      4 limit of odd batch
 *          16 state            idle, JavaScript, native or condemned           written by the thread (but see condemn)
 *          17 cur of even batch       18 cur of odd batch: -1 before the first claim, -2 while the task is loaded
 *          19 faults of even batch    20 faults of odd batch: items that failed, so that progress does not count them
 *
 * A slot has at most two batches, the running one and the one behind it. Batches of a slot are numbered from 1 and
 * batch `n` uses the words of `n & 1`; a number is given out again only when the batch before it with the same words
 * has been answered. So each batch has words of its own, and a late write can never hit its successor.
 *
 * ## Claiming and revoking
 *
 * The thread claims position `p` by storing `cur = p` and then loading `limit`; it runs the item only if `p < limit`.
 * The main thread takes work back by storing a lower `limit = L` and then loading `cur = c`; from then on it owns
 * every position from `max(L, c + 1)`. All four are `Atomics` on words of the same size, so ECMAScript's memory model
 * puts them into one total order that agrees with the program of either side. (The only plain writes are those of
 * `open`, before the thread is given its row.) Take any position `p ≥ L`:
 *
 *  - If the thread's load of `limit` comes before the main thread's store, then its store of `cur = p` does too, and
 *    the main thread's load sees `c ≥ p`: the main thread does not own `p`, and the thread runs it if it was below the
 *    limit that it saw; if not, an earlier revocation has it. Never run twice.
 *  - Otherwise the thread's load sees a limit of at most `L ≤ p`: it does not run `p`, nor anything beyond. If the
 *    main thread saw `c ≥ p` all the same, neither owns `p` yet; the answer to the batch says how many positions
 *    were run, and what it leaves out goes back then. Never lost.
 *
 * `limit` never rises within a batch, and `cur` never falls once a position was claimed. With several items in flight in one thread the claims
 * still come one after another, from one thread, so the argument holds for each; a store of `cur` may also claim
 * several positions at once, and the two cases are the same for each of them. A limit of -1 says more than "stop
 * claiming": nobody wants the answer, and handlers in flight are told through their signal. (0 must not say that: it
 * is what remains of a batch that was taken back whole, whose first item may have been claimed in the same moment.)
 *
 * ## Condemning
 *
 * A thread inside native code must not be terminated, for that can abort the process. Looking at `state` first is not
 * enough, since the thread may enter native code between the look and the act. So both compete for the word with a
 * compare-and-exchange: the thread enters native code by exchanging JavaScript for native, the main thread condemns
 * by exchanging JavaScript or idle for condemned. Who comes second sees it: a condemned thread that wants to leave
 * JavaScript waits for its end instead.
 */

const WORDS_PER_ROW = 32;
const INCARNATION = 0;
const NUMBER = 1; // + 2 × parity
const LIMIT = 2; // + 2 × parity
const STATE = 16;
const CUR = 17; // + parity
const FAULTS = 19; // + parity

/** What a thread is doing, as far as ending it is concerned. */
export const ThreadState = { IDLE: 0, JAVASCRIPT: 1, NATIVE: 2, CONDEMNED: 3 } as const;
export type ThreadState = (typeof ThreadState)[keyof typeof ThreadState];

/** The limit that says: nobody wants the answer to this batch. */
export const STOPPED = -1;

/** The limit that says: the process is about to end, and the thread must not go on. */
const ENDING = -2;

/** The claim word of a batch whose task is being loaded or set up. */
const LOADING = -2;

/** The main thread's side: all rows. */
export class ControlBlock {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(slotCount: number) {
    this.buffer = new SharedArrayBuffer(slotCount * WORDS_PER_ROW * Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(this.buffer);
  }

  /** Makes the row ready for a new thread. The old thread of this slot must have another row, or be gone. */
  open(row: number, incarnation: number): void {
    const base = row * WORDS_PER_ROW;
    this.#words.fill(0, base, base + WORDS_PER_ROW);
    Atomics.store(this.#words, base + INCARNATION, incarnation);
  }

  /** Announces a batch. To be called before its message is posted, which orders it for the thread. */
  assign(row: number, batch: number, count: number): void {
    const base = row * WORDS_PER_ROW;
    const parity = batch & 1;
    Atomics.store(this.#words, base + CUR + parity, -1);
    Atomics.store(this.#words, base + FAULTS + parity, 0);
    Atomics.store(this.#words, base + LIMIT + 2 * parity, count);
    Atomics.store(this.#words, base + NUMBER + 2 * parity, batch);
  }

  /**
   * Takes back what the thread has not claimed, leaving it `keep` (0 to 1) of that, and at least the first `least`
   * positions of the batch. Answers the first position that now belongs to the main thread. Not for a batch that was
   * stopped: its answer decides.
   */
  revoke(row: number, batch: number, keep: number, least = 0): number {
    const base = row * WORDS_PER_ROW;
    const parity = batch & 1;
    const limit = Atomics.load(this.#words, base + LIMIT + 2 * parity);
    // While it loads its task it has claimed nothing.
    const next = Math.max(Atomics.load(this.#words, base + CUR + parity), -1) + 1;
    const lowered = Math.max(next + Math.floor((limit - next) * keep), least);
    // An earlier revoke may have come too late for a position at the limit: `next` is beyond it then.
    // A limit below 0 is one that a task has written here, and should not: no position is.
    if (lowered >= limit) return Math.max(limit, next);
    Atomics.store(this.#words, base + LIMIT + 2 * parity, lowered);
    return Math.max(lowered, Atomics.load(this.#words, base + CUR + parity) + 1);
  }

  /** Tells the thread that nobody wants the batch any more, and wakes handlers that wait. */
  stop(row: number, batch: number): void {
    const at = row * WORDS_PER_ROW + LIMIT + 2 * (batch & 1);
    Atomics.store(this.#words, at, STOPPED);
    Atomics.notify(this.#words, at);
  }

  /** Stops whatever runs in any row: the last act before the process ends. */
  stopAll(): void {
    for (let base = 0; base < this.#words.length; base += WORDS_PER_ROW) {
      for (const at of [base + LIMIT, base + LIMIT + 2]) {
        Atomics.store(this.#words, at, STOPPED);
        Atomics.notify(this.#words, at);
      }
    }
  }

  /** Asks all threads to halt for good, at their next turn of the event loop: see `ControlRow.haltIfEnding`. */
  haltAll(): void {
    for (let base = 0; base < this.#words.length; base += WORDS_PER_ROW) {
      for (const at of [base + LIMIT, base + LIMIT + 2]) {
        Atomics.store(this.#words, at, ENDING);
        Atomics.notify(this.#words, at);
      }
    }
  }

  /** The newest position that the thread has claimed in this batch; -1 before the first, -2 while its task is loaded. */
  cur(row: number, batch: number): number {
    return Atomics.load(this.#words, row * WORDS_PER_ROW + CUR + (batch & 1));
  }

  /** How many items of this batch have failed so far. */
  faults(row: number, batch: number): number {
    return Atomics.load(this.#words, row * WORDS_PER_ROW + FAULTS + (batch & 1));
  }

  state(row: number): ThreadState {
    return Atomics.load(this.#words, row * WORDS_PER_ROW + STATE) as ThreadState;
  }

  /** Claims the right to terminate the row's thread: false while it is in native code. */
  condemn(row: number): boolean {
    const at = row * WORDS_PER_ROW + STATE;
    for (;;) {
      const from = this.state(row);
      if (from === ThreadState.CONDEMNED) return true;
      if (from === ThreadState.NATIVE) return false;
      // The thread may have gone from idle to JavaScript, or back, in between.
      if (Atomics.compareExchange(this.#words, at, from, ThreadState.CONDEMNED) === from) return true;
    }
  }

  /**
   * Blocks until every thread is condemned, so that none is in native code and none can go there any more, or until
   * the time is over; true if all are. Only for a process that is about to end: it freezes the main thread.
   */
  condemnAll(timeoutMs: number, now: () => number): boolean {
    const deadline = now() + timeoutMs;
    for (let row = 0; row * WORDS_PER_ROW < this.#words.length; row++) {
      while (!this.condemn(row)) {
        const left = deadline - now();
        if (left <= 0) return false;
        Atomics.wait(this.#words, row * WORDS_PER_ROW + STATE, ThreadState.NATIVE, left);
      }
    }
    return true;
  }
}

/** Whether a handler may be in native code: surely, surely not, or once its thread has loaded an addon. */
export type HandlerNature = "native" | "script" | "unknown";

/** The thread's side: its own row. */
export class ControlRow {
  /** For the runner's inner loop, which spells `claim` out. */
  readonly words: Int32Array;
  readonly #base: number;
  readonly #mayBlock: boolean;
  readonly #depth = { native: 0, script: 0, unknown: 0 };
  #hasAddon = false;

  /** `mayBlock`: the thread is one that can be condemned, and waits for its end then. Not so on the main thread. */
  constructor(buffer: SharedArrayBuffer, row: number, mayBlock: boolean) {
    this.#mayBlock = mayBlock;
    this.words = new Int32Array(buffer);
    this.#base = row * WORDS_PER_ROW;
  }

  incarnation(): number {
    return Atomics.load(this.words, this.#base + INCARNATION);
  }

  /** Where a batch's `cur` and `limit` lie in `words`. */
  curAt(batch: number): number {
    return this.#base + CUR + (batch & 1);
  }
  limitAt(batch: number): number {
    return this.#base + LIMIT + 2 * (batch & 1);
  }

  /** Claims the next position: true if its item may be run. */
  claim(batch: number, position: number): boolean {
    Atomics.store(this.words, this.curAt(batch), position);
    return position < Atomics.load(this.words, this.limitAt(batch));
  }

  /** Claims the positions `from` to `end` at once; answers how many of them may be run. */
  claimTo(batch: number, from: number, end: number): number {
    Atomics.store(this.words, this.curAt(batch), end - 1);
    return Math.max(Math.min(Atomics.load(this.words, this.limitAt(batch)), end) - from, 0);
  }

  /** The batch waits for its task: that holds the thread, though no item of it was claimed. */
  noteLoading(batch: number): void {
    Atomics.store(this.words, this.curAt(batch), LOADING);
  }

  noteFault(batch: number): void {
    Atomics.add(this.words, this.#base + FAULTS + (batch & 1), 1);
  }

  isStopped(batch: number): boolean {
    return Atomics.load(this.words, this.limitAt(batch)) <= STOPPED;
  }

  /**
   * To be called from the event loop after a stop. Where the process is ending, the thread goes no further: what its
   * handlers wait for does not hold the end up, and none of them can enter native code again.
   */
  haltIfEnding(batch: number): void {
    if (!this.#mayBlock || Atomics.load(this.words, this.limitAt(batch)) !== ENDING) return;
    const at = this.#base + STATE;
    Atomics.store(this.words, at, ThreadState.CONDEMNED);
    Atomics.notify(this.words, at);
    Atomics.wait(this.words, at, ThreadState.CONDEMNED);
  }

  /** Before a handler, to be matched by `leave`. */
  enter(nature: HandlerNature): void {
    this.#depth[nature]++;
    this.#publish();
  }

  leave(nature: HandlerNature): void {
    this.#depth[nature]--;
    this.#publish();
  }

  /** This thread is loading an addon: from here on, handlers of unknown nature count as native. */
  noteAddon(): void {
    this.#hasAddon = true;
    this.#publish();
  }

  #publish(): void {
    const { native, script, unknown } = this.#depth;
    const next =
      native > 0 || (this.#hasAddon && unknown > 0)
        ? ThreadState.NATIVE
        : script + unknown > 0
          ? ThreadState.JAVASCRIPT
          : ThreadState.IDLE;
    const at = this.#base + STATE;
    const before = Atomics.load(this.words, at);
    if (before === next) return;
    if (before === ThreadState.CONDEMNED || Atomics.compareExchange(this.words, at, before, next) !== before) {
      // Condemned: the main thread is terminating this one and must not find it in native code.
      if (this.#mayBlock) Atomics.wait(this.words, at, ThreadState.CONDEMNED);
    }
    if (before === ThreadState.NATIVE) Atomics.notify(this.words, at);
  }
}
