/** Verdicts on threads and jobs that have done nothing wrong: what must not happen to them. */
import { describe, expect, it } from "vitest";
import {
  type Effect,
  type JobRules,
  type SchedulerEvent,
  type State,
  createState,
  step,
} from "@threadmill/engine/internal/scheduler";

const RULES: JobRules = {
  weight: 1,
  stopsAtFailure: false,
  retry: { attempts: 1, backoffMs: 0, maxBackoffMs: 0, jitter: 0 },
  timeoutMs: 0,
  concurrency: 0,
  batchSize: 1,
  maxInFlight: 0,
};

class Hand {
  readonly state: State;
  now = 0;

  constructor(threads: number) {
    this.state = createState({ threads, batchMs: 10, maxBatchItems: 4_096, graceMs: 1_000 });
    for (let slot = 0; slot < threads; slot++) this.say({ type: "thread-ready", slot, incarnation: 0 });
  }

  say(event: SchedulerEvent): Effect[] {
    const out: Effect[] = [];
    step(this.state, event, this.now, out);
    return out;
  }

  submit(job: number, recipe: number, supplied: number, rules: Partial<JobRules> = {}): Effect[] {
    const all = { ...RULES, ...rules };
    const flags = { sourceEnded: true, isThrottled: false, isWarmUp: false };
    return this.say({ type: "submit", job, recipe, rules: all, supplied, ...flags });
  }

  describe(recipe: number, concurrency: number): Effect[] {
    return this.say({ type: "described", recipe, kind: "item", concurrency, maxBatchItems: 0 });
  }

  done(slot: number): Effect[] {
    const { running, incarnation } = this.state.slots[slot]!;
    const batch = running!.number;
    return this.say({
      type: "done",
      slot,
      incarnation,
      batch,
      claimed: 1,
      faults: undefined,
      elapsedMs: 5,
      mainMs: 0,
      luck: 0,
    });
  }
}

describe("a job that was passed over for a slot", () => {
  it("waits with the others while its task is being described", () => {
    const hand = new Hand(3);
    hand.submit(1, 9, 3); // Its first item kills the thread, before the task was described.
    hand.submit(3, 1, 100);
    hand.describe(1, 1);
    hand.submit(2, 9, 3);
    hand.say({ type: "thread-lost", slot: 0, incarnation: 0, cur: [0, -1] });
    hand.now = 5;
    hand.done(1); // Slot 1 is kept for the suspect of job 1;
    hand.done(2); // slot 2 goes to job 2, past job 1, and describes the task of both.
    expect(hand.state.recipes.get(9)!.phase).toBe("probing");
    const assigned = hand.done(1).filter((effect) => effect.type === "assign");
    expect(assigned.map(({ batch }) => batch.job.recipe.id)).not.toContain(9);
  });
});

describe("a batch that was taken back as a whole", () => {
  it("has no item that could overrun its time, whatever the thread has claimed in vain", () => {
    const hand = new Hand(1);
    hand.submit(1, 1, 1); // One item that takes its time, without a limit, and leaves a lane free.
    hand.describe(1, 2);
    hand.submit(2, 2, 1, { timeoutMs: 50 });
    hand.say({ type: "pause-asked", job: 2 });
    hand.say({ type: "revoked", slot: 0, incarnation: 0, batch: 2, from: 0 });
    for (hand.now = 60; hand.now < 5_000; hand.now += 60) {
      const out = hand.say({ type: "tick", cursors: [[0, 0]] });
      expect(out.filter(({ type }) => type === "replace")).toEqual([]);
    }
  });
});

describe("a thread that is stuck with nobody to take its place", () => {
  it("is set aside when there is room again, and costs nobody who has not had his time", () => {
    const hand = new Hand(1);
    // The first thread never comes back from a cancelled item, and is set aside: there is no more room.
    hand.submit(1, 1, 1);
    hand.describe(1, 1);
    hand.say({ type: "stop-asked", job: 1 });
    hand.now = 1_001;
    hand.say({ type: "tick", cursors: [[0, -1]] });
    hand.say({ type: "thread-ready", slot: 0, incarnation: 1 });
    // The second is in an item that has its time, and in one behind it, in a free lane, that was cancelled.
    hand.submit(2, 2, 1, { timeoutMs: 60_000 });
    hand.describe(2, 2);
    hand.submit(3, 3, 1);
    hand.say({ type: "stop-asked", job: 3 });
    for (hand.now = 1_500; hand.now < 4_000; hand.now += 500) hand.say({ type: "tick", cursors: [[0, 0]] });
    expect(hand.state.slots[0]!.phase).toBe("stuck");
    const out = hand.say({ type: "stray-ended" });
    expect(out.filter(({ type }) => type === "replace")).toHaveLength(1);
    expect(out.filter(({ type }) => type === "fail-item" || type === "settle")).toEqual([]);
    const again = hand.say({ type: "thread-ready", slot: 0, incarnation: 2 });
    expect(again.flatMap((effect) => (effect.type === "assign" ? [effect.batch.job.key] : []))).toEqual([2]);
  });
});
