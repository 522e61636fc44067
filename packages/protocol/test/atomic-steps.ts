/**
 * Takes synchronous code that uses `Atomics` apart into its single steps, so that a test can run every order in which
 * two threads may take theirs.
 *
 * A function cannot be halted in its middle, but it can be run again: with the answers that its earlier steps got, it
 * comes to the same place. So each step runs the function from its start, plays back what was answered before, performs
 * the one operation that is next, and leaves by a throw at the one after it.
 */

/** What one of two threads does: a function without side effects other than `Atomics` operations. */
export type Actor = () => void;

/** The moment before an operation that is not to be performed yet. */
const HALT = Symbol("halt");

class Stepper {
  readonly #actor: Actor;
  /** What its operations have answered so far. */
  readonly answers: number[];
  isOver = false;

  constructor(actor: Actor, answers: number[] = []) {
    this.#actor = actor;
    this.answers = answers;
  }

  /** Performs the next operation of the actor and halts before the one after it. */
  step(): void {
    const { load, store, notify } = Atomics;
    const { answers } = this;
    const known = answers.length;
    let at = 0;
    const perform = (operation: () => number): number => {
      if (at < known) return answers[at++]!;
      // oxlint-disable-next-line typescript/only-throw-error -- it is not an error, and nobody else must take it for one
      if (at > known) throw HALT;
      const answer = operation();
      answers.push(answer);
      at++;
      return answer;
    };
    Object.assign(Atomics, {
      load: (words: Int32Array, index: number) => perform(() => load(words, index)),
      store: (words: Int32Array, index: number, value: number) => perform(() => store(words, index, value)),
      // Wakes a thread, but moves no memory.
      notify: () => 0,
    });
    try {
      this.#actor();
      this.isOver = true;
    } catch (thrown) {
      if (thrown !== HALT) throw thrown;
    } finally {
      Object.assign(Atomics, { load, store, notify });
    }
  }
}

/**
 * Runs two actors in every order that sequentially consistent memory allows. `start` sets a world up, `end` judges it;
 * both are called once per order. Answers how many orders there were.
 */
export function forEachInterleaving<World>(
  start: () => { world: World; actors: readonly [Actor, Actor] },
  end: (world: World, order: string) => void,
): number {
  let orders = 0;
  /** The orders that begin with `prefix`; each is run from the start, since memory cannot be rewound. */
  const explore = (prefix: readonly (0 | 1)[]): void => {
    const { world, actors } = start();
    const steppers = [new Stepper(actors[0]), new Stepper(actors[1])] as const;
    for (const which of prefix) steppers[which].step();
    const open = ([0, 1] as const).filter((which) => !steppers[which].isOver);
    if (open.length === 0) {
      orders++;
      end(world, prefix.join(""));
      return;
    }
    for (const which of open) explore([...prefix, which]);
  };
  explore([]);
  return orders;
}

/**
 * The same, where the orders are too many to be run one by one: two that have led to the same memory and the same
 * answers go on alike, so one of them stands for both. `end` is called once per outcome, with an order that leads to it.
 * All memory that the actors use must be named. Answers how many orders there were.
 */
export function forEachOutcome<World>(
  start: () => { world: World; actors: readonly [Actor, Actor]; memory: readonly Int32Array[] },
  end: (world: World, order: string) => void,
): number {
  const { world, actors, memory } = start();
  /** From each state: how many orders there are to its ends. */
  const known = new Map<string, number>();
  const explore = (before: readonly [Progress, Progress], order: string): number => {
    const saved = memory.map((words) => Array.from(words));
    const state = JSON.stringify([saved, before]);
    const seen = known.get(state);
    if (seen !== undefined) return seen;
    let orders = 0;
    for (const which of [0, 1] as const) {
      const { answers, isOver } = before[which];
      if (isOver) continue;
      for (const [at, words] of memory.entries()) words.set(saved[at] as number[]);
      const stepper = new Stepper(actors[which], [...answers]);
      stepper.step();
      const after: Progress = { answers: stepper.answers, isOver: stepper.isOver };
      orders += explore(which === 0 ? [after, before[1]] : [before[0], after], `${order}${which}`);
    }
    if (before[0].isOver && before[1].isOver) {
      // What each side has found out is played back, since other orders were tried in between.
      for (const which of [0, 1] as const) new Stepper(actors[which], [...before[which].answers]).step();
      end(world, order);
      orders = 1;
    }
    known.set(state, orders);
    return orders;
  };
  return explore([NOT_BEGUN, NOT_BEGUN], "");
}

/** How far one side has come. */
interface Progress {
  readonly answers: readonly number[];
  readonly isOver: boolean;
}

const NOT_BEGUN: Progress = { answers: [], isOver: false };
