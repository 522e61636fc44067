/**
 * How a recipe becomes ready in a thread: its module is imported, then its setup runs, each once, whoever waits for it
 * meanwhile. A failure is not kept, so that the next job may try again. No promise and no clock is in here: the simulator
 * plays this very code.
 */

/** What there is to do; when it is over, {@link Readiness} is told. */
export interface ReadinessSteps {
  importModule(): void;
  setUp(): void;
}

/** A batch that waits. Of its two ends one is called, unless it leaves. */
export interface WaitingBatch {
  /** Nobody wants its answer any more. */
  isStopped(): boolean;
  /** The recipe is ready, or the batch was stopped. */
  goOn(): void;
  fail(error: unknown): void;
}

export class Readiness {
  #phase: "cold" | "importing" | "imported" | "setting up" | "ready" = "cold";
  /** Usually one; but one that was stopped, and has not seen it, does not keep the next one waiting. */
  #waiting: WaitingBatch[] = [];
  readonly #steps: ReadinessSteps;

  constructor(steps: ReadinessSteps) {
    this.#steps = steps;
  }

  /** Nothing is done before a batch waits for it. */
  wait(batch: WaitingBatch): void {
    this.#waiting.push(batch);
    if (this.#phase === "cold") {
      this.#phase = "importing";
      this.#steps.importModule();
    } else if (this.#phase === "imported") this.#setUp();
  }

  /**
   * Whether a batch that was stopped may leave at once. Not while its module is imported: that may compute for ever as
   * soon as its files are read, and the thread would be held with no batch that could be suspected of it.
   */
  get letsGo(): boolean {
    return this.#phase !== "importing";
  }

  /** The batch waits no more; what has begun goes on, and serves the next one. */
  leave(batch: WaitingBatch): void {
    this.#waiting = this.#waiting.filter((one) => one !== batch);
  }

  imported(): void {
    this.#phase = "imported";
    // A setup that begins for nobody could hold the thread as well.
    if (this.#waiting.some((batch) => !batch.isStopped())) this.#setUp();
    else for (const batch of this.#takeAll()) batch.goOn();
  }

  isSetUp(): void {
    this.#phase = "ready";
    for (const batch of this.#takeAll()) batch.goOn();
  }

  failed(error: unknown): void {
    this.#phase = this.#phase === "importing" ? "cold" : "imported";
    for (const batch of this.#takeAll()) batch.fail(error);
  }

  #setUp(): void {
    this.#phase = "setting up";
    this.#steps.setUp();
  }

  #takeAll(): readonly WaitingBatch[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
