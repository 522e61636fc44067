/** That words are taken in order, and that a flood of them lets the event loop turn. */
import { describe, expect, it } from "vitest";
import { Intake } from "../src/intake.js";

/** Takes longer than a turn of the event loop may be held. */
function work(): void {
  const end = performance.now() + 3;
  while (performance.now() < end);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("what a turn of the event loop takes in", () => {
  it("is taken at once while there is time", () => {
    const taken: number[] = [];
    const intake = new Intake<number>((word) => taken.push(word));
    intake.receive(1);
    expect(taken).toEqual([1]);
  });

  it("ends when its time is over; the others come in later turns, in order", async () => {
    const taken: number[] = [];
    const intake = new Intake<number>((word) => {
      taken.push(word);
      work();
    });
    const turns: number[] = [];
    for (let word = 0; word < 4; word++) intake.receive(word);
    expect(taken).toEqual([0]);
    while (taken.length < 4) {
      await turn();
      turns.push(taken.length);
    }
    expect(taken).toEqual([0, 1, 2, 3]);
    // One at a time: each is worth a turn.
    expect(turns).toContain(2);
    expect(turns).toContain(3);
  });

  it("keeps the order of a word that comes while others wait", async () => {
    const taken: string[] = [];
    const intake = new Intake<string>((word) => {
      taken.push(word);
      work();
    });
    intake.receive("first");
    intake.receive("waits");
    await turn();
    intake.receive("comes later");
    while (taken.length < 3) await turn();
    expect(taken).toEqual(["first", "waits", "comes later"]);
  });

  it("is all there is when a decision hangs on it", async () => {
    const taken: number[] = [];
    const intake = new Intake<number>((word) => {
      taken.push(word);
      work();
    });
    for (let word = 0; word < 3; word++) intake.receive(word);
    intake.flush();
    expect(taken).toEqual([0, 1, 2]);
    await turn();
    expect(taken).toHaveLength(3);
  });

  it("is nothing any more once it is closed, nor is anything kept", async () => {
    const taken: number[] = [];
    const intake = new Intake<number>((word) => {
      taken.push(word);
      work();
    });
    for (let word = 0; word < 3; word++) intake.receive(word);
    intake.close();
    intake.receive(3);
    intake.flush();
    await turn();
    expect(taken).toEqual([0]);
  });
});
