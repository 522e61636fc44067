import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ControlBlock, ControlRow, type HandlerNature, STOPPED, ThreadState } from "../src/control-block.js";

const { IDLE, JAVASCRIPT, NATIVE, CONDEMNED } = ThreadState;
const ROW = 1;

/** Both sides of a row among others. The thread's side does not block, for it is in the test's own thread. */
function open(batch = 1, count = 10): { block: ControlBlock; row: ControlRow } {
  const block = new ControlBlock(3);
  block.open(ROW, 7);
  block.assign(ROW, batch, count);
  return { block, row: new ControlRow(block.buffer, ROW, false) };
}

afterEach(() => vi.restoreAllMocks());

describe("a row", () => {
  it("begins with its incarnation, idle and with nothing claimed", () => {
    const { block, row } = open();
    expect(row.incarnation()).toBe(7);
    expect(block.state(ROW)).toBe(IDLE);
    expect([block.cur(ROW, 1), block.faults(ROW, 1)]).toEqual([-1, 0]);
  });

  it("has nothing left of the life before when it is opened again", () => {
    const { block, row } = open();
    row.claim(1, 4);
    row.noteFault(1);
    row.enter("native");
    block.open(ROW, 8);
    block.assign(ROW, 1, 3);
    expect(row.incarnation()).toBe(8);
    expect(block.state(ROW)).toBe(IDLE);
    expect([block.cur(ROW, 1), block.faults(ROW, 1)]).toEqual([-1, 0]);
  });

  it("has words of its own, which no other row touches", () => {
    const { block, row } = open();
    for (const other of [0, 2]) {
      block.open(other, 1);
      block.assign(other, 1, 5);
      block.stop(other, 1);
      new ControlRow(block.buffer, other, false).enter("native");
      new ControlRow(block.buffer, other, false).noteFault(1);
    }
    expect(row.claim(1, 9)).toBe(true);
    expect(row.isStopped(1)).toBe(false);
    expect([block.state(ROW), block.faults(ROW, 1)]).toEqual([IDLE, 0]);
  });

  it("keeps its two batches apart", () => {
    const { block, row } = open(1, 10);
    block.assign(ROW, 2, 4);
    row.claim(1, 5);
    row.claim(2, 2);
    row.noteFault(2);
    block.stop(ROW, 1);
    expect([block.cur(ROW, 1), block.cur(ROW, 2)]).toEqual([5, 2]);
    expect([block.faults(ROW, 1), block.faults(ROW, 2)]).toEqual([0, 1]);
    expect([row.isStopped(1), row.isStopped(2)]).toEqual([true, false]);
  });

  it("gives a batch words that the batch before it with the same ones has left clean", () => {
    const { block, row } = open(1, 10);
    row.claim(1, 9);
    row.noteFault(1);
    block.stop(ROW, 1);
    block.assign(ROW, 3, 2);
    expect([block.cur(ROW, 3), block.faults(ROW, 3), row.isStopped(3)]).toEqual([-1, 0, false]);
    expect([row.claim(3, 1), row.claim(3, 2)]).toEqual([true, false]);
  });
});

describe("a claim", () => {
  it("succeeds below the limit and fails from it on", () => {
    const { row } = open(1, 3);
    expect([0, 1, 2, 3].map((position) => row.claim(1, position))).toEqual([true, true, true, false]);
  });

  it("is seen by the main thread, also one that failed", () => {
    const { block, row } = open(1, 1);
    row.claim(1, 1);
    expect(block.cur(ROW, 1)).toBe(1);
  });
});

describe("a revocation", () => {
  it.each([
    ["of a batch that has not begun takes all of it", -1, 0, 0, 0],
    ["leaves the item that was claimed", 3, 0, 0, 4],
    ["leaves a share of what is not claimed", 3, 0.5, 0, 7],
    ["leaves the share rounded down", 2, 0.5, 0, 6],
    ["that leaves all takes nothing", 3, 1, 0, 10],
    ["leaves at least the first items", -1, 0, 1, 1],
    ["leaves no more than is claimed where that is more than the least", 3, 0, 2, 4],
    ["takes nothing of a batch that is claimed to its end", 9, 0, 0, 10],
    ["that is to leave more than there is takes nothing", -1, 0, 50, 10],
  ])("%s", (_, claimed, keep, least, from) => {
    const { block, row } = open(1, 10);
    for (let position = 0; position <= claimed; position++) row.claim(1, position);
    expect(block.revoke(ROW, 1, keep, least)).toBe(from);
    const succeed = Array.from({ length: 10 }, (__, position) => row.claim(1, position)).lastIndexOf(true);
    expect(succeed).toBe(from - 1);
  });

  it("leaves a thread that loads its task the share that it would have before its first claim", () => {
    const { block, row } = open(1, 2);
    row.noteLoading(1);
    expect(block.revoke(ROW, 1, 0.5)).toBe(1);
    expect(block.revoke(ROW, 1, 0)).toBe(0);
  });

  it("gives back a position from 0 on, whatever a task has written into the row", () => {
    const garbage = [-2_147_483_648, -1_364_158_668, -2, -1, 0, 1, 2_147_483_647];
    for (const cur of garbage) {
      for (const limit of garbage) {
        const { block, row } = open();
        Atomics.store(row.words, row.curAt(1), cur);
        Atomics.store(row.words, row.limitAt(1), limit);
        for (const keep of [0, 0.5]) expect(block.revoke(ROW, 1, keep)).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it("never raises a limit that an earlier one has lowered", () => {
    const { block, row } = open(1, 10);
    expect(block.revoke(ROW, 1, 0, 2)).toBe(2);
    expect(block.revoke(ROW, 1, 1, 8)).toBe(2);
    expect(row.claim(1, 2)).toBe(false);
  });
});

describe("a stop", () => {
  it("says more than an empty batch: nobody wants the answer", () => {
    const { block, row } = open();
    block.revoke(ROW, 1, 0);
    expect(row.isStopped(1)).toBe(false);
    block.stop(ROW, 1);
    expect(row.isStopped(1)).toBe(true);
    expect(Atomics.load(row.words, row.limitAt(1))).toBe(STOPPED);
  });

  it("wakes who waits for it", async () => {
    const { block, row } = open();
    const waiting = Atomics.waitAsync(row.words, row.limitAt(1), 10);
    block.stop(ROW, 1);
    expect(await waiting.value).toBe("ok");
  });

  it("of all reaches both batches of every row", () => {
    const block = new ControlBlock(2);
    const rows = [0, 1].map((at) => {
      block.open(at, 1);
      block.assign(at, 1, 5);
      block.assign(at, 2, 5);
      return new ControlRow(block.buffer, at, false);
    });
    block.stopAll();
    expect(rows.flatMap((row) => [row.isStopped(1), row.isStopped(2)])).toEqual([true, true, true, true]);
  });
});

describe("faults", () => {
  it("are counted by batch", () => {
    const { block, row } = open();
    for (let count = 0; count < 3; count++) row.noteFault(1);
    expect(block.faults(ROW, 1)).toBe(3);
  });
});

describe("the state of a thread", () => {
  const after = (...steps: ([HandlerNature, "enter" | "leave"] | "addon")[]): number => {
    const { block, row } = open();
    for (const step of steps) {
      if (step === "addon") row.noteAddon();
      else row[step[1]](step[0]);
    }
    return block.state(ROW);
  };

  it("is JavaScript in a handler of unknown nature, and native from the first addon on", () => {
    expect(after(["unknown", "enter"])).toBe(JAVASCRIPT);
    expect(after("addon", ["unknown", "enter"])).toBe(NATIVE);
    expect(after(["unknown", "enter"], "addon")).toBe(NATIVE);
    expect(after("addon")).toBe(IDLE);
  });

  it("is what the handler's task says, whatever was loaded", () => {
    expect(after(["native", "enter"])).toBe(NATIVE);
    expect(after("addon", ["script", "enter"])).toBe(JAVASCRIPT);
  });

  it("is native while any of several handlers is", () => {
    expect(after(["script", "enter"], ["native", "enter"])).toBe(NATIVE);
    expect(after(["script", "enter"], ["native", "enter"], ["native", "leave"])).toBe(JAVASCRIPT);
    expect(after(["native", "enter"], ["native", "enter"], ["native", "leave"])).toBe(NATIVE);
  });

  it("is idle when all have left", () => {
    expect(after(["script", "enter"], ["native", "enter"], ["script", "leave"], ["native", "leave"])).toBe(IDLE);
  });
});

describe("condemning", () => {
  it.each([
    ["idle", undefined, true],
    ["in JavaScript", "script", true],
    ["in native code", "native", false],
  ] as const)("a thread that is %s: %s → %s", (_, nature, may) => {
    const { block, row } = open();
    if (nature !== undefined) row.enter(nature);
    expect(block.condemn(ROW)).toBe(may);
    expect(block.state(ROW)).toBe(may ? CONDEMNED : NATIVE);
  });

  it("can be asked for again", () => {
    const { block } = open();
    expect([block.condemn(ROW), block.condemn(ROW)]).toEqual([true, true]);
  });

  it("stands, whatever a thread that does not wait for its end does afterwards", () => {
    const { block, row } = open();
    block.condemn(ROW);
    row.enter("native");
    row.leave("native");
    row.noteAddon();
    expect(block.state(ROW)).toBe(CONDEMNED);
  });

  it.each([
    [
      "after it was condemned",
      (block: ControlBlock, row: ControlRow): ControlRow => {
        block.condemn(ROW);
        return row;
      },
    ],
    [
      "in the moment in which it enters native code",
      (block: ControlBlock, row: ControlRow): ControlRow => {
        const { load } = Atomics;
        const condemnAfterLoad: (words: Int32Array, at: number) => number = (words, at) => {
          const seen = load(words, at);
          block.condemn(ROW);
          return seen;
        };
        vi.spyOn(Atomics, "load").mockImplementationOnce(condemnAfterLoad as never);
        return row;
      },
    ],
  ])("holds a thread of ours back, which waits for its end: %s", (_, prepare) => {
    const { block } = open();
    const row = new ControlRow(block.buffer, ROW, true);
    row.enter("script");
    const wait = vi.spyOn(Atomics, "wait").mockReturnValue("ok");
    prepare(block, row).enter("native");
    expect(wait.mock.calls.map(([, , value]) => value)).toEqual([CONDEMNED]);
    expect(block.state(ROW)).toBe(CONDEMNED);
  });

  it("comes too late for a thread that has just entered native code", () => {
    const { block, row } = open();
    row.enter("script");
    const { compareExchange } = Atomics;
    const beaten: (words: Int32Array, at: number, from: number, to: number) => number = (words, at, from, to) => {
      row.enter("native");
      return compareExchange(words, at, from, to);
    };
    // It looks at idle first, then at JavaScript: the thread comes between.
    vi.spyOn(Atomics, "compareExchange").mockImplementationOnce(beaten as never);
    expect(block.condemn(ROW)).toBe(false);
    expect(block.state(ROW)).toBe(NATIVE);
  });
});

describe("waiting until no thread is in native code", () => {
  it("is over at once when none is", () => {
    const { block, row } = open();
    row.enter("script");
    expect(block.condemnAll(0, () => 0)).toBe(true);
  });

  it("gives up when its time is over", () => {
    const { block, row } = open();
    row.enter("native");
    let time = 0;
    // The clock passes the deadline while the block waits for a millisecond at a time.
    expect(block.condemnAll(1, () => time++)).toBe(false);
  });

  it("wakes when the last thread leaves", async () => {
    const { block } = open();
    const seen = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(new URL("fixtures/leaves-native.mjs", import.meta.url), {
      workerData: { control: block.buffer, row: ROW, seen },
    });
    try {
      await Atomics.waitAsync(seen, 0, 0).value;
      expect(block.state(ROW)).toBe(NATIVE);
      Atomics.store(seen, 1, 1);
      Atomics.notify(seen, 1);
      // The clock stands still: only the thread itself can end this.
      expect(block.condemnAll(30_000, () => 0)).toBe(true);
    } finally {
      await worker.terminate();
    }
  });
});
