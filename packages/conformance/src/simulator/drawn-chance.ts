/** Chance as a plan draws it: from a stream each for threads, messages and faults. */
import type { Random } from "../random.js";
import type { Chance } from "./chance.js";
import { type FaultPlan, type Plan, streamOf } from "./plan.js";
import type { Fault } from "./sometimes.js";
import type { Fate } from "./spec.js";

export class DrawnChance implements Chance {
  /** Faults that came about, by kind. */
  readonly faultCounts = new Map<Fault, number>();
  /** In the second phase messages are late no more, and nothing else goes wrong. */
  hasFaults = true;
  readonly #faults: FaultPlan;
  readonly #latencyMs: number;
  readonly #timing: Random;
  readonly #network: Random;
  readonly #notices: Random;
  readonly #relapses: Random;
  readonly #fates: Random;
  readonly #handlerFaults: number;

  constructor({ seed, faults, latencyMs }: Plan) {
    this.#faults = faults;
    this.#latencyMs = latencyMs;
    this.#timing = streamOf(seed, "timing");
    this.#network = streamOf(seed, "network");
    this.#notices = streamOf(seed, "notices");
    this.#relapses = streamOf(seed, "relapses");
    this.#fates = streamOf(seed, "faults");
    const { crash, exitAfter, hang, native, fail, failFinal, uncloneable, unreadable } = faults;
    this.#handlerFaults =
      crash + exitAfter + hang + faults.await + native + fail + failFinal + uncloneable + unreadable;
  }

  /** Counts a fault that came about. */
  note(kind: Fault): void {
    this.faultCounts.set(kind, (this.faultCounts.get(kind) ?? 0) + 1);
  }

  latencyMs(): number {
    const late = this.#faults.late;
    if (late > 0 && this.hasFaults && this.#network.chance(late)) {
      this.note("late message");
      return this.#latencyMs + this.#network.next() * 120;
    }
    return this.#latencyMs;
  }

  noticeMs(): number {
    return this.#notices.chance(0.3) ? this.#notices.next() * 5 : 0;
  }

  startMs(_slot: number, incarnation: number): number {
    return incarnation === 0 ? this.#timing.below(3) : 5 + this.#timing.below(40);
  }

  failsToStart(): boolean {
    if (this.#faults.start === 0 || !this.hasFaults || !this.#fates.chance(this.#faults.start)) return false;
    this.note("failed start");
    return true;
  }

  exitMs(): number {
    return this.#latencyMs + this.#timing.below(4);
  }

  terminateMs(): number {
    return 1 + this.#timing.below(60);
  }

  /** Node's timers ring at whole milliseconds of their own clock: a little early, or late. */
  timerSlackMs(): number {
    const { timer } = this.#faults;
    if (timer === 0 || !this.#timing.chance(timer)) return 0;
    return this.#timing.next() * 3 - 0.9;
  }

  claimGapMs(): number {
    const { claimGap } = this.#faults;
    if (claimGap === 0 || !this.hasFaults || !this.#timing.chance(claimGap)) return 0;
    this.note("slow claim");
    return 0.01 + this.#timing.next() * 5;
  }

  isGapFirst(): boolean {
    return this.#timing.chance(0.5);
  }

  relapseMs(): number | undefined {
    if (!this.hasFaults || !this.#relapses.chance(0.3)) return undefined;
    this.note("relapse");
    return this.#relapses.next() * 100;
  }

  lostWith(messages: number): number {
    const { loss } = this.#faults;
    if (messages === 0 || loss === 0 || !this.#network.chance(loss)) return 0;
    this.note("lost message");
    return 1 + this.#network.below(messages);
  }

  echoMs(): number | undefined {
    const { echo } = this.#faults;
    if (echo === 0 || !this.#network.chance(echo)) return undefined;
    this.note("duplicate message");
    return this.#network.below(4) * 40;
  }

  luck(): number {
    return this.#network.next();
  }

  /** What becomes of a call that nobody has poisoned. */
  fate(): Fate {
    if (this.#handlerFaults === 0 || !this.hasFaults) return "ok";
    const faults = this.#faults;
    let rest = this.#fates.next();
    if (rest >= this.#handlerFaults) return "ok";
    if ((rest -= faults.crash) < 0) return "crash";
    if ((rest -= faults.exitAfter) < 0) return "exit-after";
    if ((rest -= faults.hang) < 0) return "hang";
    if ((rest -= faults.await) < 0) return "await";
    if ((rest -= faults.native) < 0) return { nativeMs: 20 + this.#fates.below(600) };
    if ((rest -= faults.fail) < 0) return this.#fates.chance(0.5) ? "fail" : "fail-alone";
    if ((rest -= faults.failFinal) < 0) return "fail-final";
    return (rest -= faults.uncloneable) < 0 ? "uncloneable" : "unreadable";
  }
}
