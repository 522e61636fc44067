/** What threads leave behind when they die. The thread is a port here, so that its last words can be chosen. */
import { MessageChannel } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import type { ThreadListener } from "../src/runners/runner.js";
import { Threads } from "../src/threads.js";

function startOne(): { readonly heard: unknown[]; readonly thread: ThreadListener; post: (message: unknown) => void } {
  const heard: unknown[] = [];
  const listeners: ThreadListener[] = [];
  const threads = new Threads(
    { threads: 1, start: (_slot, _setup, listener) => void listeners.push(listener) },
    { keepWarm: 1, graceMs: 1 },
    {
      onMessage: (_link, message) => heard.push(message),
      onReady: () => heard.push("ready"),
      onFailed: () => heard.push("failed"),
      onEnding: () => heard.push("ending"),
      onAllSaid: () => heard.push("all said"),
      onLost: () => heard.push("lost"),
      onStrayEnded: () => heard.push("stray ended"),
      onLetGo: () => heard.push("let go"),
      onEvent: () => undefined,
    },
  );
  threads.start(0, 0);
  const thread = listeners[0] as ThreadListener;
  const { port1, port2 } = new MessageChannel();
  thread.onReady({
    isOwnThread: true,
    port: port1,
    hold: () => undefined,
    setAside: () => undefined,
    terminate: () => Promise.resolve(),
    kill: () => undefined,
  });
  return { heard, thread, post: (message) => port2.postMessage(message) };
}

/** Posts a nesting that can just be written from here, so that it cannot be read from further down the stack. */
function postDeepest(post: (message: unknown) => void): void {
  for (let levels = 100_000; ; levels = Math.floor(levels * 0.95)) {
    try {
      post(nested(levels));
      return;
    } catch {
      // Too deep to be written.
    }
  }
}

function nested(depth: number): unknown {
  let value: unknown = "core";
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

function fromFurtherDown(frames: number, act: () => void): void {
  if (frames === 0) act();
  else fromFurtherDown(frames - 1, act);
}

describe("a thread that has died", () => {
  it("is announced, then heard to its last word, then lost", () => {
    const { heard, thread, post } = startOne();
    post("one");
    post("two");
    thread.onLost(new Error("exit"));
    expect(heard).toEqual(["ready", "ending", "one", "two", "all said", "lost"]);
  });

  it("may leave a word that nobody can read", () => {
    const { heard, thread, post } = startOne();
    post("one");
    postDeepest(post);
    post("three");
    fromFurtherDown(2_000, () => thread.onLost(new Error("exit")));
    // Some versions of Node can read even that.
    const words = heard.filter((word) => typeof word === "string");
    expect(words).toEqual(["ready", "ending", "one", "three", "all said", "lost"]);
  });
});
