/** What is going to happen, by time and, at the same time, in the order in which it was planned: a binary heap. */

export const Kind = {
  /** In a thread: they go on while the main thread is busy. */
  ARRIVE: 0,
  CALL_END: 1,
  CLAIM: 2,
  EXPIRE: 3,
  ABANDON: 4,
  LOAD_STEP: 5,
  STOP_SEEN: 6,
  DIE: 7,
  RELAPSE: 8,
  /** On the main thread: they wait while it is busy. */
  DELIVER: 16,
  STARTED: 17,
  EXIT: 18,
  TERMINATED: 19,
  TICK: 20,
  SOURCE: 21,
  READ: 22,
  ECHO: 23,
  ACTION: 24,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Whether only the main thread can do it. */
export function isMainSide(kind: Kind): boolean {
  return kind >= Kind.DELIVER;
}

export interface Happening {
  at: number;
  order: number;
  readonly kind: Kind;
  readonly subject: unknown;
  readonly detail: unknown;
}

export class Agenda {
  readonly #heap: Happening[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  get first(): Happening | undefined {
    return this.#heap[0];
  }

  plan(at: number, kind: Kind, subject: unknown, detail: unknown): void {
    this.#push({ at, order: this.#order++, kind, subject, detail });
  }

  /** Puts a happening off, behind all that is planned for the new time already. */
  postpone(happening: Happening, at: number): void {
    happening.at = at;
    happening.order = this.#order++;
    this.#push(happening);
  }

  take(): Happening {
    const heap = this.#heap;
    const first = heap[0] as Happening;
    const last = heap.pop() as Happening;
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  #push(one: Happening): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(one);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above] as Happening;
      if (!isBefore(one, parent)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = one;
  }

  #sink(one: Happening): void {
    const heap = this.#heap;
    const { length } = heap;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= length) break;
      if (below + 1 < length && isBefore(heap[below + 1] as Happening, heap[below] as Happening)) below++;
      const child = heap[below] as Happening;
      if (!isBefore(child, one)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = one;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
