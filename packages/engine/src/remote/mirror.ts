/**
 * One handle of the engine, followed for a client: what happens to it is gathered into news, and no more of them are on
 * their way than the client has answered for. So a client that is slow, or blocked, makes nothing grow: the engine keeps
 * what it keeps anyway, and the loop over a job that does not collect is read only when the client asks.
 */
import type { NumberColumn } from "@threadmill/protocol";
import type { JobEvents, JobHandle } from "../jobs/handle.js";
import type { JobResult, Outcome } from "../jobs/outcome.js";
import type { Progress } from "../jobs/progress.js";
import type { ForwardedEvent, News, Standing, WireEnd, WireRun } from "./messages.js";
import { toWireReason, unsentError } from "./reasons.js";
import { toWireRun } from "./wire-runs.js";

/** News that may be on their way at once. */
const MAX_UNANSWERED = 4;
/** Outcomes in them, and in the next ones. */
const MAX_UNANSWERED_OUTCOMES = 16_384;
/** Events that wait to be sent; the oldest are dropped beyond. Progress and details are one each: the newest. */
const MAX_EVENTS = 1_000;

export interface MirrorInit {
  readonly handle: JobHandle<unknown>;
  /**
   * `outcomes`: all are sent as they come. `result`: when the job has completed, for one who only looks. `loop`: as the
   * client reads. `none`: the job does not collect, and this client does not read it.
   */
  readonly sends: "outcomes" | "result" | "loop" | "none";
  readonly listensTo: Iterable<ForwardedEvent>;
  /** Nobody sees the handle: only the end counts. */
  readonly isQuiet: boolean;
  /** A column as it can be sent: where memory is not shared, a copy. */
  readonly share: (column: NumberColumn) => NumberColumn;
  /** Resolves when the client has taken it in. */
  readonly send: (news: News) => Promise<void>;
  /** Lets go of the job; undefined for one who only looks. */
  readonly leave: ((reason: unknown) => void) | undefined;
  /** The client has heard the last of it. */
  readonly onOver: () => void;
}

export class Mirror {
  readonly handle: JobHandle<unknown>;
  readonly #init: MirrorInit;
  readonly #listensTo: Set<ForwardedEvent>;
  readonly #listeners: [event: keyof JobEvents, listener: (argument: never) => void][] = [];
  readonly #loop: AsyncIterator<Outcome<unknown>[]> | undefined;
  #turn = 0;
  #passed = 0;
  /** Outcomes that the client has in its hands: it has not come back for more. */
  #inHand = 0;
  /** The client may still ask for outcomes: a job can have ended before its last ones were read. */
  #isRead: boolean;
  #events: News["events"][number][] = [];
  #runs: WireRun[] = [];
  #end: WireEnd | undefined;
  #isStopped = false;
  /** Something could not be sent: all that is still said is that. */
  #hasFailed = false;
  /** The client has been told of the end, of the stop. */
  #saidEnd = false;
  #saidStopped = false;
  #shown = "";
  #isFlushing = false;
  #isClosed = false;
  #unanswered = 0;
  #unansweredOutcomes = 0;
  /** Wakes the loop that waits for room. */
  #onRoom: (() => void) | undefined;

  /** To be made in the tick of `run`. */
  constructor(init: MirrorInit) {
    this.#init = init;
    this.handle = init.handle;
    this.#listensTo = new Set(init.listensTo);
    this.#isRead = init.sends === "loop";
    this.#listen();
    if (init.sends === "loop") this.#loop = this.handle.batches();
    if (init.sends === "outcomes") void this.#sendOutcomes();
    void this.handle.stopped.then(() => {
      this.#isStopped = true;
      this.#later();
    });
    // It may have ended by now, as one that comes from the cache has.
    if (this.#isSettled && init.sends !== "outcomes") void this.#noteEnd();
  }

  get standing(): Standing {
    const { progress } = this.handle;
    return {
      state: this.handle.state,
      turn: this.#turn,
      progress: this.#hasFailed ? withoutDetail(progress) : progress,
    };
  }

  /** Outcomes that the one loop has passed on. */
  get passed(): number {
    return this.#passed;
  }

  /** How it ended is known, whether or not the client has heard of it. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  listen(event: ForwardedEvent): void {
    this.#listensTo.add(event);
  }

  async pause(turn: number): Promise<Standing> {
    this.#turn = turn;
    await this.handle.pause();
    return this.standing;
  }

  resume(turn: number): Standing {
    this.#turn = turn;
    this.handle.resume();
    return this.standing;
  }

  cancel(reason: unknown): void {
    this.handle.cancel(reason);
  }

  leave(reason: unknown): void {
    this.#init.leave?.(reason);
    this.#endLoop();
  }

  /** The next outcomes of the one loop. What was read before counts as passed on from now. */
  async read(): Promise<{ runs: WireRun[]; isOver: boolean }> {
    this.#passed += this.#inHand;
    this.#inHand = 0;
    try {
      const step = this.#isRead ? await this.#loop?.next() : undefined;
      if (step !== undefined && step.done !== true) {
        this.#inHand = step.value.length;
        return { runs: [toWireRun(step.value)], isOver: false };
      }
    } catch {
      // How it ended is in the news of the end.
    }
    this.#endLoop();
    return { runs: [], isOver: true };
  }

  #endLoop(): void {
    if (!this.#isRead) return;
    this.#isRead = false;
    void this.#loop?.return?.();
    this.#goIfOver();
  }

  #goIfOver(): void {
    if (this.#saidStopped && !this.#isRead && this.#unanswered === 0) this.#init.onOver();
  }

  /** The client does not listen any more: nothing of this stays with the engine. */
  close(reason: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const [event, listener] of this.#listeners) this.handle.off(event, listener as () => void);
    this.#runs = [];
    this.#events = [];
    this.#onRoom?.();
    this.#init.leave?.(reason);
  }

  get #isSettled(): boolean {
    const { state } = this.handle;
    return state === "completed" || state === "failed" || state === "cancelled";
  }

  #listen(): void {
    const on = (event: keyof JobEvents, listener: (argument?: unknown) => void): void => {
      this.handle.on(event, listener);
      this.#listeners.push([event, listener]);
    };
    on("start", () => !this.#init.isQuiet && this.#tell(["start"]));
    on("batch", (batch) => this.#listensTo.has("batch") && this.#tell(["batch", batch]));
    on("retry", (retry) => this.#listensTo.has("retry") && this.#tell(["retry", retry]));
    on("detail", (detail) => this.#listensTo.has("detail") && this.#tellNewest("detail", detail));
    on("progress", (progress) => {
      if (this.#listensTo.has("progress")) this.#tellNewest("progress", progress);
      // Without a listener only what has changed is worth a message.
      else if (!this.#init.isQuiet && this.#shown !== this.#show()) this.#later();
    });
    on("settle", () => {
      // What waits to be sent goes before any other end; a cancel settles at once, and drops it.
      if (this.handle.state === "cancelled" || this.#init.sends !== "outcomes") void this.#noteEnd();
    });
  }

  #tell(event: News["events"][number]): void {
    this.#events.push(event);
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
    this.#later();
  }

  #tellNewest(name: ForwardedEvent, argument: unknown): void {
    this.#events = this.#events.filter(([other]) => other !== name);
    this.#tell([name, argument]);
  }

  async #sendOutcomes(): Promise<void> {
    try {
      await this.#sendAll(this.handle.batches());
    } catch (error) {
      // The handle knows, unless it is an outcome that cannot be read.
      if (!this.#isSettled) this.#fail(error);
    }
    if (!this.#isClosed && this.#isSettled) await this.#noteEnd();
  }

  async #sendAll(loop: AsyncIterable<Outcome<unknown>[]>): Promise<void> {
    for await (const outcomes of loop) {
      if (this.#isClosed) return;
      this.#runs.push(toWireRun(outcomes));
      this.#unansweredOutcomes += outcomes.length;
      // Where the job has ended there is more to come in this very tick.
      if (!this.#isSettled) this.#later();
      await this.#room();
    }
  }

  /** Resolves when what is on its way is little enough for more, or when no more is wanted. */
  async #room(): Promise<void> {
    while (this.#unansweredOutcomes >= MAX_UNANSWERED_OUTCOMES && !this.#isClosed && this.#end === undefined) {
      this.#later();
      await new Promise<void>((wake) => (this.#onRoom = wake));
    }
  }

  async #noteEnd(): Promise<void> {
    try {
      const result = (await this.handle.result) as JobResult<unknown, unknown[] | NumberColumn>;
      const { stats, values } = result;
      // What lies in shared memory is sent as it lies there.
      const column = Array.isArray(values) ? undefined : values;
      if (this.#init.sends === "result" && column === undefined) await this.#sendAll(this.handle.batches());
      this.#setEnd({
        state: "completed",
        stats,
        ...(column === undefined ? {} : { column: this.#init.share(column) }),
      });
    } catch (error) {
      const { state } = this.handle;
      if (state !== "failed" && state !== "cancelled") {
        // It has completed: what cannot be read is an outcome.
        this.#fail(error);
        return;
      }
      if (state === "cancelled") {
        this.#runs = [];
        this.#endLoop();
      }
      this.#setEnd({ state, error: toWireReason(error) });
    }
  }

  #setEnd(end: WireEnd): void {
    this.#end ??= end;
    if (this.#init.isQuiet) this.#isStopped = true;
    this.#onRoom?.();
    this.#later();
  }

  #show(): string {
    const { completed, failed, total } = this.handle.progress;
    return `${this.handle.state} ${this.#turn} ${completed} ${failed} ${total}`;
  }

  /** After all that the promises of this tick bring: what happens together is told together. */
  #later(): void {
    if (this.#isFlushing || this.#isClosed) return;
    this.#isFlushing = true;
    process.nextTick(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isClosed || this.#unanswered >= MAX_UNANSWERED) return;
    const hasEnd = this.#end !== undefined && !this.#saidEnd;
    const hasStopped = this.#isStopped && !this.#saidStopped && (hasEnd || this.#saidEnd);
    const shown = this.#init.isQuiet ? "" : this.#show();
    const hasNews = this.#runs.length > 0 || this.#events.length > 0 || hasEnd || hasStopped || shown !== this.#shown;
    if (!hasNews || this.#saidStopped) return;
    this.#shown = shown;
    const outcomes = this.#runs.reduce((sum, { values }) => sum + values.length, 0);
    const news: News = {
      standing: this.standing,
      events: this.#events,
      runs: this.#runs,
      ...(hasEnd ? { end: this.#end as WireEnd } : {}),
      isStopped: hasStopped,
    };
    this.#events = [];
    this.#runs = [];
    this.#saidEnd ||= hasEnd;
    this.#saidStopped ||= hasStopped;
    this.#unanswered++;
    const isLastWord = this.#hasFailed;
    this.#init.send(news).then(
      () => this.#answered(outcomes),
      (error: unknown) => {
        if (this.#isClosed) return;
        if (isLastWord) this.#giveUp(error);
        else this.#fail(error);
        this.#answered(outcomes);
      },
    );
  }

  #answered(outcomes: number): void {
    this.#unanswered--;
    this.#unansweredOutcomes -= outcomes;
    this.#onRoom?.();
    this.#goIfOver();
    this.#later();
  }

  /** A value or an error that has come to the engine cannot go on to the client: all that can be said is that. */
  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#events = [];
    this.#runs = [];
    this.#saidEnd = false;
    this.#saidStopped = false;
    this.#end = { state: "failed", error: toWireReason(unsentError(this.handle.id, error)) };
    this.#init.leave?.(error);
    this.#onRoom?.();
    this.#later();
  }

  /** Not even that: the client is broken. Saying it again and again would keep both sides busy for ever. */
  #giveUp(error: unknown): void {
    this.close(error);
    this.#init.onOver();
  }
}

/** It may be what could not be sent. */
function withoutDetail(progress: Progress): Progress {
  const { detail: _, ...rest } = progress;
  return rest;
}
