/** The order of all that happens in a world, as fast-check's scheduler draws it; and its time, which is played. */
import type fc from "fast-check";
import { vi } from "vitest";
import { turn } from "./engine-at-hand.js";
import type { PlayedThread } from "./played-threads.js";

/** Far more steps than any drawn world has. */
const MAX_STEPS = 20_000;
/** When nothing else is left to happen, so much time passes so often: retries and deadlines come due. */
const WAIT_MS = 150;
const WAITS = 12;

export class PlayedOrder {
  readonly #scheduler: fc.Scheduler;
  readonly #report: (what: string) => void;
  readonly #busy = new Set<PlayedThread>();
  readonly #speaking = new Set<PlayedThread>();

  constructor(scheduler: fc.Scheduler, report: (what: string) => void) {
    this.#scheduler = scheduler;
    this.#report = report;
  }

  /** Resolves when it is this one's turn. */
  readonly await = async (what: string): Promise<void> => {
    await this.#scheduler.schedule(Promise.resolve(), what);
  };

  /** Lets everything happen that is waiting to, and time pass, until nothing moves any more. */
  async exhaust(afterEach: () => void): Promise<void> {
    let waits = 0;
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      await turn();
      afterEach();
      if (this.#scheduler.count() > 0) {
        await this.#scheduler.waitNext(1);
        waits = 0;
      } else if (waits < WAITS) {
        waits++;
        vi.advanceTimersByTime(WAIT_MS);
      } else return;
    }
    this.#report(`no end after ${MAX_STEPS} steps`);
  }

  /** Lets the thread do its next thing, and say its next word, each when its turn has come. */
  drive(thread: PlayedThread): void {
    if (thread.hasWork && !this.#busy.has(thread)) {
      this.#busy.add(thread);
      void this.await(`thread ${thread.slot} works`).then(() => {
        this.#busy.delete(thread);
        thread.step();
        this.drive(thread);
      });
    }
    if (thread.hasWord && !this.#speaking.has(thread)) {
      this.#speaking.add(thread);
      void this.await(`thread ${thread.slot} is heard`).then(() => {
        this.#speaking.delete(thread);
        try {
          thread.deliver();
        } catch (error) {
          this.#report(`the engine threw into a port: ${String(error)}`);
        }
        this.drive(thread);
      });
    }
  }
}
