/**
 * Checks a history against the invariants of the design (section 11), as far as callers can see them: S1 to S13 but
 * for S8's bound on a slot's batches, which has no outside, and of the liveness L1 and L6.
 */
import { type Entry, type History, type Rules, type Seen, describeEntry, isSettled } from "./history.js";
import { RunIndex, type Work } from "./run-rules.js";
import { type HandleState, type LoopState, type Settled, newHandle, newLoop } from "./checker-state.js";

/** Entries of the same job that a violation quotes, before the place and after it. */
const BEFORE = 6;
const AFTER = 3;
/** Beyond this a history says nothing new. */
const MAX_VIOLATIONS = 20;

type Of<Type extends Seen["type"]> = Extract<Entry, { type: Type }>;
/** One message per broken invariant; none if the history is what the design promises. */
export function checkHistory(history: History): string[] {
  return new Checker(history).check();
}

class Checker {
  readonly #history: History;
  readonly #runs: RunIndex;
  readonly #violations: string[] = [];
  readonly #handles = new Map<string, HandleState>();
  readonly #loops = new Map<number, LoopState>();
  readonly #works = new Map<number, Work>();
  /** The work that was last started under an id. */
  readonly #liveWork = new Map<string, number>();
  /** The last one of an id and task whose result may be kept. */
  readonly #kept = new Map<string, number>();
  /** Items that the one loop of a work that does not collect has read. */
  readonly #read = new Map<number, number>();
  readonly #gone = { lost: 0, stuck: 0 };

  constructor(history: History) {
    this.#history = history;
    this.#runs = new RunIndex(history.runs);
  }

  check(): string[] {
    for (const [at, entry] of this.#history.entries.entries()) this.#see(entry, at);
    const end = this.#history.entries.length;
    for (const handle of this.#handles.values()) this.#finish(handle, end);
    this.#checkOrder(end);
    this.#runs.check(this.#works, this.#gone, (invariant, { job, work, index }, what) =>
      this.#report(invariant, { job, work, index }, what, end),
    );
    return this.#violations;
  }

  #see(entry: Entry, at: number): void {
    switch (entry.type) {
      case "run":
        return this.#onRun(entry);
      case "refused":
        return this.#onRefused(entry, at);
      case "pulled":
        return this.#onPulled(entry, at);
      case "bound":
        if (entry.size > entry.most) {
          this.#report("S10", {}, `${entry.what} holds ${entry.size}, at most ${entry.most} are allowed`, at);
        }
        return;
      case "gone":
        this.#gone[entry.how]++;
        return;
      case "rest":
        for (const job of entry.live) this.#report("L1", { job }, "is still live at rest", at);
        for (const { handle = "", what } of entry.pending) {
          this.#report("L1", this.#handles.get(handle) ?? {}, `waited in vain for ${handle} ${what}`, at);
        }
        return;
      default: {
        const handle = this.#handles.get(entry.handle);
        if (handle !== undefined) this.#seeOf(handle, entry, at);
      }
    }
  }

  #seeOf(
    handle: HandleState,
    entry: Exclude<Entry, Of<"run" | "refused" | "pulled" | "gone" | "bound" | "rest">>,
    at: number,
  ) {
    switch (entry.type) {
      case "heard":
        return this.#onHeard(handle, entry, at);
      case "progress":
        return this.#onProgress(handle, entry, at);
      case "settle":
        return this.#onSettle(handle, entry, at);
      case "result":
        return this.#onResult(handle, entry, at);
      case "loop":
        handle.loops.add(entry.loop);
        this.#loops.set(entry.loop, newLoop(entry.ordered));
        return;
      case "outcome":
        return this.#onOutcome(handle, entry, at);
      case "loop-end": {
        const loop = this.#loops.get(entry.loop);
        if (loop !== undefined) loop.end = entry.how;
        return;
      }
      case "cancel":
        return this.#onCancel(handle, entry, at);
      case "stopped":
        return;
      default:
        return entry satisfies never;
    }
  }

  // ——— what is admitted

  #onRun({ handle, job, work, how, rules }: Of<"run">): void {
    if (!this.#works.has(work)) this.#works.set(work, { job, how, rules });
    if (how === "new") this.#liveWork.set(job, work);
    const actual = { new: work, joined: this.#liveWork.get(job), cached: this.#kept.get(`${job}/${rules.task}`) };
    const seenWork = how === "stillborn" ? undefined : actual[how];
    const seen = seenWork === undefined ? undefined : this.#works.get(seenWork)?.rules;
    const isCached = how === "cached";
    this.#handles.set(handle, newHandle({ name: handle, job, work: seenWork, rules: seen, isCached }));
  }

  #onRefused({ job, work, code, before, after }: Of<"refused">, at: number): void {
    this.#works.set(work, { job, how: undefined, rules: undefined });
    if (code === "none") this.#report("S13", { job, work }, "was to be refused, and was not", at);
    if (before !== after) this.#report("S13", { job, work }, `a refused run changed ${before} to ${after}`, at);
  }

  #onPulled({ work, index, ended }: Of<"pulled">, at: number): void {
    const known = this.#works.get(work);
    if (known === undefined) return;
    const { job, how, rules } = known;
    if (how !== "new") this.#report(how === undefined ? "S13" : "S11", { job, work, index }, "was pulled", at);
    if (rules?.maxInFlight === undefined) return;
    const inFlight = index + 1 - (rules.collects ? ended : (this.#read.get(work) ?? ended));
    if (inFlight > rules.maxInFlight) {
      const what = `was pulled as the ${inFlight}th between source and reader; maxInFlight is ${rules.maxInFlight}`;
      this.#report("S10", { job, work, index }, what, at);
    }
  }

  // ——— what handles say

  #onHeard(handle: HandleState, { event, index, attempt }: Of<"heard">, at: number): void {
    this.#checkNotOver(handle, `event ${event}`, at);
    if (event === "start" && handle.hasBatch) this.#report("S12", handle, "start came after a batch", at);
    if (event === "batch") handle.hasBatch = true;
    const most = handle.rules?.attempts ?? Infinity;
    if (event === "retry" && !((attempt ?? 0) >= 2 && (attempt ?? 0) <= most)) {
      this.#report("S9", { ...handle, index }, `is to be retried as attempt ${attempt} of at most ${most}`, at);
    }
  }

  /** Neither an event nor an outcome may follow the end. */
  #checkNotOver(handle: HandleState, what: string, at: number): void {
    if (handle.settledAt !== undefined) this.#report("S3", handle, `${what} after ${handle.name} had settled`, at);
    else if (handle.cancelledAt !== undefined) {
      this.#report("S3", handle, `${what} after ${handle.name} was cancelled`, at);
    }
  }

  #onProgress(handle: HandleState, { via, state, completed, failed, total }: Of<"progress">, at: number): void {
    const { progress } = handle;
    if (via === "event" && handle.settledAt !== undefined) {
      this.#report("S3", handle, `progress after ${handle.name} had settled`, at);
    }
    // What a thread has finished, and not answered for, may turn out to have failed: its result cannot be cloned, or the
    // thread is lost and the item fails elsewhere. What has ended is never less for that.
    if (completed + failed < progress.completed + progress.failed || failed < progress.failed) {
      const before = `${progress.completed} completed, ${progress.failed} failed`;
      this.#report("S5", handle, `progress fell from ${before} to ${completed} completed, ${failed} failed`, at);
    }
    if (total !== undefined && completed + failed > total) {
      this.#report("S5", handle, `progress ${completed} + ${failed} passes the total ${total}`, at);
    }
    const { work, rules } = handle;
    if (state === "completed" && work !== undefined && rules !== undefined && completed + failed !== rules.items) {
      const what = `progress of the completed job is ${completed} + ${failed} of ${rules.items}, total ${total}`;
      this.#report("S5", handle, what, at);
    }
    if (handle.state !== undefined && state !== handle.state) {
      this.#report("S4", handle, `${handle.name} settled as ${handle.state}, and is ${state} now`, at);
    }
    handle.progress = { completed, failed };
  }

  #onSettle(handle: HandleState, { state, code }: Of<"settle">, at: number): void {
    if (handle.settledAt !== undefined) {
      this.#report("S4", handle, `${handle.name} settled as ${state} after it had settled as ${handle.state}`, at);
      return;
    }
    if (!isSettled(state)) this.#report("S4", handle, `${handle.name} settled as ${state}`, at);
    if (handle.cancelledAt !== undefined && state !== "cancelled") {
      this.#report("S7", handle, `${handle.name} settled as ${state} after it was cancelled`, at);
    }
    handle.settledAt = at;
    handle.state = state as Settled;
    handle.code = code;
    const { work, rules, job } = handle;
    const isKept = state === "completed" && rules?.collects === true && handle.progress.failed === 0;
    if (isKept && work !== undefined && !handle.isCached) this.#kept.set(`${job}/${rules.task}`, work);
  }

  #onResult(handle: HandleState, entry: Of<"result">, at: number): void {
    if (handle.result !== undefined) this.#report("S4", handle, `the result of ${handle.name} settled twice`, at);
    handle.result = entry;
    if (handle.cancelledAt !== undefined && entry.state === "resolved") {
      this.#report("S7", handle, `the result of ${handle.name} resolved after the cancel`, at);
    }
  }

  #onCancel(handle: HandleState, { by, before, after, loop: canceller }: Of<"cancel">, at: number): void {
    if (isSettled(before)) {
      if (after !== before) this.#report("S4", handle, `cancel by ${by} made ${handle.name} ${after} of ${before}`, at);
      return;
    }
    if (after !== "cancelled") this.#report("S6", handle, `${handle.name} is ${after} after its cancel by ${by}`, at);
    handle.cancelledAt = at;
    if (canceller === undefined) return;
    // Loops are told in one go: another one may hold an answer of the same moment, and hear of the cancel after it.
    for (const { work, loops } of this.#handles.values()) {
      if (work !== handle.work) continue;
      for (const number of loops) {
        const loop = this.#loops.get(number);
        if (loop !== undefined && number !== canceller) loop.lateTurn = loop.turn + 1;
      }
    }
  }

  #onOutcome(handle: HandleState, entry: Of<"outcome">, at: number): void {
    const { index, loop: number } = entry;
    const loop = this.#loops.get(number);
    if (loop === undefined) return;
    const about = { ...handle, index };
    const isLate = handle.cancelledAt !== undefined || handle.state === "cancelled";
    loop.turn = entry.turn ?? loop.turn + 1;
    if (isLate && loop.turn !== loop.lateTurn) {
      this.#report("S7", about, `was delivered to loop ${number} of ${handle.name} after the cancel`, at);
    }
    if (loop.end !== undefined) this.#report("S3", about, `was delivered to loop ${number} after its end`, at);
    if (loop.seen.has(index)) this.#report("S1", about, `was delivered twice to loop ${number} of ${handle.name}`, at);
    if (loop.ordered && index !== loop.indices.length) {
      this.#report("S12", about, `was delivered as number ${loop.indices.length} of an ordered loop`, at);
    }
    loop.seen.add(index);
    loop.indices.push(index);
    const { work, rules } = handle;
    if (work === undefined) return;
    if (rules?.collects === false) this.#read.set(work, (this.#read.get(work) ?? 0) + 1);
    this.#checkOrigin(handle, entry, at);
  }

  /** That an outcome comes from the run that it names. */
  #checkOrigin(handle: HandleState, { index, status, attempt, code, proof, log }: Of<"outcome">, at: number): void {
    const work = handle.work as number;
    const about = { ...handle, index };
    const most = handle.rules?.attempts ?? Infinity;
    if (attempt > most) this.#report("S9", about, `was delivered from attempt ${attempt} of at most ${most}`, at);
    // The cache keeps values, not what they cost.
    const tried = handle.isCached ? undefined : attempt;
    if (status === "failed") {
      const item = { work, index };
      const isLost = code === "THREAD_LOST";
      const hasReason = isLost ? this.#runs.deathsOver(item, log) >= 2 : this.#runs.has(item, "begun", log, tried);
      if (!hasReason) this.#report("S2", about, `failed with ${code}, and no run of attempt ${attempt} did so`, at);
      return;
    }
    if (proof === undefined || proof.index !== index || (tried !== undefined && proof.attempt !== tried)) {
      this.#report("S2", about, `attempt ${attempt} has the value of ${JSON.stringify(proof)}`, at);
    } else if (proof.work !== work) {
      this.#report("S11", about, `work ${work} has the value of ${JSON.stringify(proof)}`, at);
    } else if (!this.#runs.has({ work, index }, "completed", log, tried)) {
      this.#report("S2", about, `was delivered though attempt ${attempt} had not completed`, at);
    }
  }

  // ——— the end

  #finish(handle: HandleState, end: number): void {
    const { name, state, result, rules } = handle;
    if (state === undefined) {
      this.#report("L1", handle, `${name} never settled`, end);
      return;
    }
    if (result === undefined) this.#report("L1", handle, `the result of ${name} never settled`, end);
    else if ((result.state === "resolved") !== (state === "completed")) {
      this.#report("S4", handle, `${name} settled as ${state}, and its result was ${result.state}`, end);
    } else if (result.state === "rejected" && result.code !== handle.code) {
      this.#report("S4", handle, `${name} settled with ${handle.code}, and its result with ${result.code}`, end);
    }
    for (const number of handle.loops) this.#finishLoop(handle, number, end);
    if (state === "completed" && rules !== undefined) this.#finishCompleted(handle, rules, end);
  }

  #finishLoop(handle: HandleState, number: number, end: number): void {
    const loop = this.#loops.get(number);
    if (loop === undefined) return;
    const what = `loop ${number} of ${handle.name}`;
    if (loop.end === undefined) this.#report("L1", handle, `${what} never ended`, end);
    if (loop.end !== "done") return;
    if (handle.state !== "completed") {
      this.#report("L6", handle, `${what} ended as if the job had completed; it is ${handle.state}`, end);
    } else if (handle.rules !== undefined && loop.seen.size !== handle.rules.items) {
      const missing = firstMissing(loop.seen);
      this.#report("L6", { ...handle, index: missing }, `was not delivered to ${what} of the completed job`, end);
    }
  }

  #finishCompleted(handle: HandleState, rules: Rules, end: number): void {
    const { result } = handle;
    const work = handle.work as number;
    const failures = new Set(result?.failures);
    if (rules.onError === "fail" && failures.size > 0) {
      this.#report("L6", handle, `completed under "fail" with ${failures.size} failures`, end);
    }
    if (rules.collects && result?.values !== rules.items) {
      this.#report("L6", handle, `completed with ${result?.values} values of ${rules.items}`, end);
    }
    for (const index of result?.wrong ?? []) {
      this.#report("L6", { ...handle, index }, "has no value of its own in the result, and no failure", end);
    }
    for (const other of result?.works ?? []) {
      if (other !== work) this.#report("S11", handle, `the result of work ${work} holds values of work ${other}`, end);
    }
    for (let index = 0; index < rules.items; index++) {
      if (!this.#runs.has({ work, index }, "begun", Infinity)) {
        this.#report("L6", { ...handle, index }, "was never run, and its job completed", end);
      } else if (rules.collects && !failures.has(index) && !this.#runs.has({ work, index }, "completed", Infinity)) {
        this.#report("S2", { ...handle, index }, "completed, and no run of it did", end);
      }
    }
  }

  /** All loops that read as items end see one order: that of the commits. */
  #checkOrder(end: number): void {
    const longest = new Map<number, { name: string; indices: readonly number[] }>();
    for (const handle of this.#handles.values()) {
      if (handle.isCached || handle.work === undefined) continue;
      for (const number of handle.loops) {
        const loop = this.#loops.get(number);
        if (loop === undefined || loop.ordered) continue;
        const name = `loop ${number} of ${handle.name}`;
        const other = longest.get(handle.work);
        const shared = Math.min(other?.indices.length ?? 0, loop.indices.length);
        for (let at = 0; at < shared; at++) {
          const index = loop.indices[at];
          if (index === other?.indices[at]) continue;
          const what = `is number ${at} in ${name}, where ${other?.name} had item ${other?.indices[at]}`;
          this.#report("S12", { ...handle, index }, what, end);
          break;
        }
        if (other === undefined || loop.indices.length > shared) longest.set(handle.work, { name, ...loop });
      }
    }
  }

  #report(
    invariant: string,
    about: { readonly job?: string; readonly work?: number | undefined; readonly index?: number | undefined },
    what: string,
    at: number,
  ): void {
    if (this.#violations.length >= MAX_VIOLATIONS) return;
    const { job, work, index } = about;
    const subject = [job === undefined ? "" : `job ${JSON.stringify(job)}`, index === undefined ? "" : `item ${index}`];
    const lines = [`${invariant}: ${subject.filter(Boolean).join(", ")}: ${what}`];
    const around = this.#history.entries
      .map((entry, place) => ({ entry, place }))
      .filter(({ entry }) => job === undefined || this.#jobOf(entry) === job);
    const split = around.findIndex(({ place }) => place > at);
    const here = split < 0 ? around.length : split;
    for (const { entry, place } of around.slice(Math.max(here - BEFORE, 0), here + AFTER)) {
      lines.push(`  ${place === at ? ">" : " "} ${describeEntry(entry, place)}`);
    }
    if (work !== undefined && index !== undefined) {
      for (const line of this.#runs.describe(work, index)) lines.push(`    ${line}`);
    }
    this.#violations.push(lines.join("\n"));
  }

  #jobOf(entry: Entry): string | undefined {
    if (entry.type === "refused") return entry.job;
    if (entry.type === "pulled") return this.#works.get(entry.work)?.job;
    return "handle" in entry ? this.#handles.get(entry.handle)?.job : undefined;
  }
}

function firstMissing(seen: ReadonlySet<number>): number {
  let index = 0;
  while (seen.has(index)) index++;
  return index;
}
