/** What threads say, as events for the scheduler: the engine's `inbox.ts`, and answers that come once more. */
import type { SchedulerEvent } from "@threadmill/engine/internal/scheduler";
import { Kind } from "./agenda.js";
import type { Answer } from "./books.js";
import type { Sent } from "./sent.js";
import type { Shell } from "./shell.js";
import type { SimulatedThread } from "./simulated-thread.js";
import type { Word } from "./thread-world.js";
import type { ThreadsBySlot } from "./threads-by-slot.js";
import { broken } from "./violation.js";

export class Inbox {
  /** The newest answers that arrived by hand, for those who want one again. */
  readonly answers: SchedulerEvent[] = [];
  readonly #shell: Shell;
  readonly #threads: ThreadsBySlot;

  constructor(shell: Shell, threads: ThreadsBySlot) {
    this.#shell = shell;
    this.#threads = threads;
  }

  take(thread: SimulatedThread, word: Word): void {
    const shell = this.#shell;
    const { slot, incarnation } = thread;
    if (thread.isStray) {
      shell.counters["late answer from a thread set aside"]++;
      if (thread.isTerminating) shell.counters["word from a thread that is being terminated"]++;
      // The shell drops it; the scheduler must know it for what it is, too.
      if (word.type === "done" || word.type === "spoilt" || word.type === "broken") {
        const echoMs = shell.chance.echoMs();
        if (echoMs !== undefined) this.#echo(this.#eventOf(thread, word), echoMs);
      }
      // It has come back: whatever it says comes too late, but it can be ended now.
      this.#threads.terminateStrays();
      return;
    }
    switch (word.type) {
      case "described": {
        const { recipe, task } = word;
        if (!thread.link.knows(recipe)) {
          shell.counters["description of a recipe that its thread was to forget"]++;
          this.#ask(thread);
          break;
        }
        const { kind = "item", concurrency = 1, maxBatchItems = 0 } = task;
        const event: SchedulerEvent = { type: "described", recipe, kind, concurrency, maxBatchItems };
        shell.dispatch(event);
        break;
      }
      case "done":
      case "spoilt":
      case "broken":
        this.#answer(thread, word);
        break;
      case "unreadable":
        this.#ask(thread);
        break;
      case "held": {
        const { missing, mustAskAgain } = thread.link.heard(word.batches);
        if (mustAskAgain) this.#ask(thread);
        for (const number of missing) {
          const sent = thread.sent.find(({ batch }) => batch.number === number);
          if (sent === undefined) continue;
          shell.counters["batch spoilt by one that cannot be read"]++;
          this.answered(sent);
          if (sent.batch.count > 1) shell.causes.onSplit(sent);
          const faults = [{ position: 0, code: "NOT_CLONEABLE", isFinal: true }] as const;
          const code = "NOT_CLONEABLE";
          shell.dispatch(
            { type: "spoilt", slot, incarnation, batch: number, code, isFinal: true, elapsedMs: 0, luck: 0 },
            { sent, claimed: 1, faults, isUnsent: false },
          );
        }
        break;
      }
    }
  }

  /** Some message could not be made sense of: the thread is asked what it holds. */
  #ask(thread: SimulatedThread): void {
    const isNow = thread.link.ask(thread.sent.map(({ batch }) => batch.number));
    if (isNow && thread.isAlive) this.#threads.post(thread, { type: "which" });
  }

  #answer(thread: SimulatedThread, word: Extract<Word, { type: "done" | "spoilt" | "broken" }>): void {
    const { run } = word;
    const { sent } = run;
    if (!thread.sent.includes(sent)) return;
    const shell = this.#shell;
    sent.run = run;
    const { job, batch } = sent;
    if (batch.isOverdue) shell.counters["time limit passed and the grace not"]++;
    const wasStuck = shell.state.slots[thread.slot]?.phase === "stuck";
    let answer: Answer;
    if (word.type === "done") {
      const { claimed } = word;
      if (claimed < batch.count && job.settledAt === undefined) {
        shell.counters["answer with fewer items than were left to it"]++;
      }
      if (claimed > batch.count) {
        broken(
          "S8",
          `batch ${batch.number} of slot ${thread.slot} ran ${claimed} items, ${batch.count} were left to it`,
        );
      }
      answer = { sent, claimed, faults: word.faults ?? [], isUnsent: false };
    } else {
      const { isFinal, code } = word.type === "spoilt" ? word : { isFinal: true, code: "broken" };
      if (word.type === "spoilt" && batch.count > 1) shell.counters["batch spoilt and split"]++;
      answer = { sent, claimed: 1, faults: [{ position: 0, code, isFinal }], isUnsent: false };
    }
    if (batch.isProbe && batch.job.recipe.phase === "probing")
      shell.counters["probe that came back without a description"]++;
    const event = this.#eventOf(thread, word);
    const retriedBefore = job.retried.length;
    this.answered(sent);
    if (word.type === "spoilt" && batch.count > 1) shell.causes.onSplit(sent);
    shell.dispatch(event, answer);
    if (shell.isByHand) this.answers.push(event);
    if (wasStuck && shell.state.slots[thread.slot]?.phase === "ready") shell.counters["stuck thread that came back"]++;
    const echoMs = shell.chance.echoMs();
    if (echoMs === undefined) return;
    shell.counters["duplicate answer"]++;
    if (job.retried.length > retriedBefore) shell.counters["duplicate answer after a retry"]++;
    this.#echo(event, echoMs);
  }

  #echo(event: SchedulerEvent, ms: number): void {
    if (this.#shell.isByHand) this.#shell.dispatch(event);
    else this.#shell.agenda.plan(this.#shell.now + ms, Kind.ECHO, event, undefined);
  }

  /** The batch has left its thread. */
  answered(sent: Sent): void {
    const { thread, job } = sent;
    const place = thread.sent.indexOf(sent);
    thread.sent.splice(place, 1);
    if (!thread.isStray) this.#threads.stuck.delete(thread.slot);
    job.takeBack(sent, 0, this.#shell.scheduler.indexAt);
    job.batchCount--;
    if (job.spec.isWarmUp === true) job.warmed.add(thread.slot);
    // What was stopped while it could not answer has its grace from when it can.
    const [next] = thread.sent;
    if (place !== 0 || next === undefined) return;
    next.runningSince = this.#shell.now;
    if (next.stoppedAt !== undefined) next.stoppedAt = this.#shell.now;
  }

  #eventOf(thread: SimulatedThread, word: Extract<Word, { type: "done" | "spoilt" | "broken" }>): SchedulerEvent {
    const { slot, incarnation } = thread;
    const batch = word.run.number;
    const luck = this.#shell.chance.luck();
    if (word.type === "broken") return { type: "broken", slot, incarnation, batch };
    const { elapsedMs } = word;
    if (word.type === "done") {
      const { claimed, faults } = word;
      return { type: "done", slot, incarnation, batch, claimed, faults, elapsedMs, mainMs: 0, luck };
    }
    const { code, isFinal } = word;
    return { type: "spoilt", slot, incarnation, batch, code, isFinal, elapsedMs, luck };
  }
}
