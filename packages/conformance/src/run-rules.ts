/** What the run log alone must show, and what it says about an item: the checker's second half. */
import type { Admission, History, Rules } from "./history.js";
import type { Phase, RunRecord } from "./run-log.js";

/** How often an item may end its thread: once in company, and twice alone. */
const MAX_KILLS = 3;
/**
 * Where a thread that takes long to die is set aside first, its batch is not lost but split: once for each halving of
 * the largest one, the item may then end another thread in company.
 */
const MAX_SPLITS = 12;

interface Placed extends RunRecord {
  readonly at: number;
}

/** A work as the calls of `run` made it. `how` is undefined for a call that was refused. */
export interface Work {
  readonly job: string;
  readonly how: Admission | undefined;
  readonly rules: Rules | undefined;
}

export type Report = (invariant: string, about: { job: string; work: number; index: number }, what: string) => void;

/** The run log by item. */
export class RunIndex {
  readonly #items = new Map<string, Placed[]>();
  /** Where each thread that died said so. */
  readonly #deaths = new Map<number, number>();
  /** The same, with those that an item holds for ever: what they had begun is run elsewhere. */
  readonly #ends = new Map<number, number>();
  readonly #stuck = new Set<number>();

  constructor(runs: History["runs"]) {
    for (const [at, record] of runs.entries()) {
      if (record === undefined) continue;
      const key = `${record.work}/${record.index}`;
      const known = this.#items.get(key);
      if (known === undefined) this.#items.set(key, [{ ...record, at }]);
      else known.push({ ...record, at });
      const { phase, thread } = record;
      if (phase === "dying" && !this.#deaths.has(thread)) this.#deaths.set(thread, at);
      if (phase === "sticking") this.#stuck.add(thread);
      if ((phase === "dying" || phase === "sticking") && !this.#ends.has(thread)) this.#ends.set(thread, at);
    }
  }

  /** Whether the handler had said this of the item when the run log was `before` long. */
  has(item: { work: number; index: number }, phase: Phase, before: number, attempt?: number): boolean {
    return this.count(item, phase, before, attempt) > 0;
  }

  count(item: { work: number; index: number }, phase: Phase, before = Infinity, attempt?: number): number {
    const records = this.#items.get(`${item.work}/${item.index}`) ?? [];
    return records.filter(
      (one) => one.phase === phase && one.at < before && (attempt === undefined || one.attempt === attempt),
    ).length;
  }

  /** How many threads have died over the item: they had begun it, and it had not ended in them. */
  deathsOver(item: { work: number; index: number }, before: number): number {
    const records = this.#items.get(`${item.work}/${item.index}`) ?? [];
    const over = records.filter(({ phase, thread, attempt, at }) => {
      if (phase !== "begun" || (this.#deaths.get(thread) ?? Infinity) >= before) return false;
      return !records.some((one) => one.at > at && one.thread === thread && one.attempt === attempt && isEnd(one));
    });
    return new Set(over.map(({ thread }) => thread)).size;
  }

  describe(work: number, index: number): string[] {
    const records = this.#items.get(`${work}/${index}`) ?? [];
    return records.slice(-8).map(({ at, phase, attempt, thread }) => {
      const died = this.#deaths.has(thread) ? ", which died" : "";
      return `run ${at}: attempt ${attempt} ${phase} in thread ${thread}${died}`;
    });
  }

  /** `gone`: threads that died, and those that the engine took for stuck. */
  check(
    works: ReadonlyMap<number, Work>,
    gone: { readonly lost: number; readonly stuck: number },
    report: Report,
  ): void {
    // More than items have said: one died over a module, say, or is a healthy one that had no time on a busy machine.
    // Which one it was is not known here, and what it had begun is run elsewhere.
    const mayRepeat = gone.stuck > this.#stuck.size || gone.lost > this.#deaths.size;
    for (const records of this.#items.values()) {
      const [first] = records;
      if (first === undefined) continue;
      const { work, index } = first;
      const { job = "?", how, rules } = works.get(work) ?? {};
      const about = { job, work, index };
      if (how !== "new") {
        const call = { joined: "joined another job", cached: "was answered from the cache", stillborn: "was aborted" };
        if (how === undefined) report("S13", about, "was run, though its call of run was refused");
        else report("S11", about, `was run, though its call of run ${call[how]}`);
      }
      if (rules !== undefined) {
        this.#checkItem(records, about, { ...rules, mayRepeat: mayRepeat || rules.mayRepeat === true }, report);
      }
    }
  }

  #checkItem(records: readonly Placed[], about: Parameters<Report>[1], rules: Rules, report: Report): void {
    for (const [nth, record] of records.entries()) {
      if (record.phase !== "begun") continue;
      const { attempt, at } = record;
      if (attempt < 1 || attempt > rules.attempts) {
        report("S9", about, `was run as attempt ${attempt} of at most ${rules.attempts}`);
      }
      const earlier = records.slice(0, nth);
      const previous = earlier.findLast((one) => one.phase === "begun");
      if (previous === undefined) {
        if (attempt !== 1) report("S9", about, `began with attempt ${attempt}`);
      } else if (attempt === previous.attempt) {
        const isSpoilt = earlier.some((one) => one.phase === "spoilt" && one.at > previous.at);
        const isGone = (this.#ends.get(previous.thread) ?? Infinity) < at;
        if (!isSpoilt && !isGone && !rules.mayRepeat) {
          report("S8", about, `was claimed twice for attempt ${attempt}: its thread ${previous.thread} had not died`);
        }
      } else if (attempt !== previous.attempt + 1) {
        report("S9", about, `attempt ${attempt} follows attempt ${previous.attempt}`);
      } else if (!rules.hasTimeout && !earlier.some((one) => one.at > previous.at && isEnd(one))) {
        report("S8", about, `attempt ${attempt} began while attempt ${previous.attempt} had not ended`);
      }
    }
    const kills = records.filter((one) => one.phase === "dying").length;
    if (kills > MAX_KILLS + (rules.mayRepeat === true ? MAX_SPLITS : 0)) {
      report("S9", about, `has ended ${kills} threads`);
    }
  }
}

function isEnd({ phase }: RunRecord): boolean {
  return phase === "completed" || phase === "failed";
}
