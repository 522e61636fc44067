/** What is left to chance around the scheduler: how long things take, and what goes wrong with threads and messages. */
export interface Chance {
  /** How long a message is on its way. */
  latencyMs(): number;
  /** How long it takes a thread to notice that a batch was stopped, if it does not look by itself. */
  noticeMs(): number;
  startMs(slot: number, incarnation: number): number;
  failsToStart(slot: number, incarnation: number): boolean;
  /** From the end of a thread to the word of it. */
  exitMs(): number;
  terminateMs(): number;
  /** How much later than it was set the timer rings; may be a little early. */
  timerSlackMs(): number;
  /** How long a claim takes between two of its parts; 0: no time at all. */
  claimGapMs(): number;
  /** Whether that is before the store of the position, or between the store and the look at the limit. */
  isGapFirst(): boolean;
  /** After how long a handler that waits, and was left behind, computes for ever; undefined: it never does. */
  relapseMs(): number | undefined;
  /** How many of the messages that were on their way from a thread go down with it. */
  lostWith(messages: number): number;
  /** After how long the same answer comes again, past the shell's own check; undefined: it does not. */
  echoMs(): number | undefined;
  /** From 0 to 1, for the jitter of retries. */
  luck(): number;
}

export interface SteadyOptions {
  /** Time that a new thread needs. Default 25; the first ones are there at once. */
  readonly startMs?: number;
  readonly failsToStart?: (slot: number, incarnation: number) => boolean;
  /** Every answer comes twice. */
  readonly duplicates?: boolean;
  /** Messages arrive this late; those of one thread in their order. */
  readonly latencyMs?: number;
}

/** Nothing is left to chance. */
export class SteadyChance implements Chance {
  readonly #options: SteadyOptions;

  constructor(options: SteadyOptions) {
    this.#options = options;
  }

  latencyMs(): number {
    return this.#options.latencyMs ?? 0;
  }
  noticeMs(): number {
    return 0;
  }
  startMs(_slot: number, incarnation: number): number {
    return incarnation === 0 ? 0 : (this.#options.startMs ?? 25);
  }
  failsToStart(slot: number, incarnation: number): boolean {
    return this.#options.failsToStart?.(slot, incarnation) ?? false;
  }
  exitMs(): number {
    return this.#options.latencyMs ?? 0;
  }
  terminateMs(): number {
    return 1;
  }
  timerSlackMs(): number {
    return 0;
  }
  claimGapMs(): number {
    return 0;
  }
  isGapFirst(): boolean {
    return false;
  }
  relapseMs(): undefined {
    return undefined;
  }
  lostWith(_messages: number): number {
    return 0;
  }
  echoMs(): number | undefined {
    return this.#options.duplicates === true ? 0 : undefined;
  }
  luck(): number {
    return 0;
  }
}
