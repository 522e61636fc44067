import { expect, it } from "vitest";
import { OutcomeStream } from "../../src/remote/outcome-log.js";

const nothing = (): void => undefined;

it("a loop whose connection is lost before its last outcomes were read fails, though its job has completed", async () => {
  const lost = new Error("the connection is over");
  const stream = new OutcomeStream({
    ask: () => Promise.reject(lost),
    onLeft: nothing,
    onOver: nothing,
    onLost: nothing,
  });
  const feed = stream.open(() => ({ status: "completed" }));
  expect(feed.take()).toBeUndefined();
  expect(feed.ending()).toEqual({ status: "open" });
  await new Promise<void>((wake) => feed.wait(wake));
  expect(feed.ending()).toEqual({ status: "failed", error: lost });
});

it("a loop that has read all ends as its job did", async () => {
  const stream = new OutcomeStream({
    ask: () => Promise.resolve({ runs: [], isOver: true }),
    onLeft: nothing,
    onOver: nothing,
    onLost: nothing,
  });
  const feed = stream.open(() => ({ status: "completed" }));
  await new Promise<void>((wake) => feed.wait(wake));
  expect(feed.ending()).toEqual({ status: "completed" });
});
