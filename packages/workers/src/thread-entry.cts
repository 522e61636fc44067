/**
 * What Piscina loads in a thread: one function that starts the runner and returns. It imports nothing of the user's,
 * so it cannot fail to load; user modules are imported inside a batch, where a failure is an answer.
 *
 * CommonJS, since Piscina loads it by `require`: a process that ends while a thread is in the middle of the `require`
 * of an ES module is aborted by Node, with 134 (20 to 26: "v8::Module::IsGraphAsync"). An `import` can be cut short.
 */
import type { MessagePort } from "node:worker_threads";
import type { ThreadSetup } from "@threadmill/protocol";

/** Answers the thread's id, so that the main thread can tell whether it is still the one that it asked. */
module.exports = async function openThread(setup: ThreadSetup<MessagePort>): Promise<number> {
  const [{ startRunner }, { threadId }] = await Promise.all([
    import("./runner/index.js"),
    import("node:worker_threads"),
  ]);
  startRunner(setup, { isOwnThread: true });
  return threadId;
};
