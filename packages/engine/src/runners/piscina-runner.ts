/**
 * Threads from Piscina: one pool of one thread per slot. Routing to a slot, ending exactly one thread and setting one
 * aside need no internals that way, and a stuck thread costs no other its life.
 *
 * Piscina starts the thread, watches it and ends it; batches travel over a port of our own, for two reasons. Piscina
 * posts results outside of any `try`, so that a result which cannot be cloned would end the thread; and a pool with a
 * task in it holds the process, which an idle engine must not.
 */
import { MessageChannel, type MessagePort, type ResourceLimits, type Worker } from "node:worker_threads";
import type { ThreadSetup } from "@threadmill/protocol";
import { Piscina } from "piscina";
import { type Runner, type Thread, type ThreadListener, portCloser } from "./runner.js";
import { threadEntryUrl } from "./thread-entry.js";

export interface PiscinaRunnerOptions {
  readonly threads: number;
  readonly resourceLimits?: ResourceLimits;
  readonly env?: NodeJS.ProcessEnv;
  readonly execArgv?: readonly string[];
}

export function createPiscinaRunner(options: PiscinaRunnerOptions): Runner {
  const pools = new Map<number, Piscina>();
  const filename = threadEntryUrl(import.meta.url);

  function poolOf(slot: number): Piscina {
    let pool = pools.get(slot);
    if (pool === undefined) {
      pool = new Piscina({
        filename,
        // Equal, or a crash strands what waits; and never idle threads that come and go.
        minThreads: 1,
        maxThreads: 1,
        idleTimeout: Infinity,
        // A thread that waits in `Atomics.wait` cannot hear its port.
        atomics: "disabled",
        recordTiming: false,
        workerHistogram: false,
        ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
        ...(options.env === undefined ? {} : { env: options.env as Record<string, string> }),
        ...(options.execArgv === undefined ? {} : { execArgv: [...options.execArgv] }),
      });
      // Without a listener, an error that belongs to no task would end the process. What matters is seen on the thread.
      pool.on("error", () => undefined);
      pools.set(slot, pool);
    }
    return pool;
  }

  return {
    threads: options.threads,
    start(slot, setup, listener) {
      let pool: Piscina;
      try {
        pool = poolOf(slot);
      } catch (error) {
        // What a Worker refuses at once: an execArgv that it does not know, say.
        queueMicrotask(() => listener.onFailed(error));
        return;
      }
      void open(pool, setup, listener, () => {
        if (pools.get(slot) === pool) pools.delete(slot);
      });
    },
  };
}

/** Opens the pool's thread: it starts a runner on the port that it is given, and the task is over. */
async function open(
  pool: Piscina,
  setup: Omit<ThreadSetup<MessagePort>, "port">,
  listener: ThreadListener,
  leave: () => void,
): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  let threadId: number;
  try {
    threadId = (await pool.run({ ...setup, port: port2 }, { transferList: [port2] })) as number;
  } catch (error) {
    port1.close();
    leave();
    void pool.destroy();
    listener.onFailed(error);
    return;
  }
  const worker: Worker | undefined = pool.threads.find((one) => one.threadId === threadId);
  if (worker === undefined) {
    port1.close();
    listener.onFailed(new Error("the thread ended as soon as it had started"));
    return;
  }
  let cause: unknown;
  let isTerminated = false;
  let ended: Promise<void> | undefined;
  const closePort = portCloser(port1);
  worker.once("error", (error) => {
    cause = error;
  });
  worker.once("exit", (code) => {
    if (!isTerminated) listener.onLost(cause ?? new Error(`the thread exited with code ${code}`));
  });
  const thread: Thread = {
    isOwnThread: true,
    port: port1,
    hold: (isHeld) => {
      if (isHeld) port1.ref();
      else port1.unref();
    },
    setAside: leave,
    terminate: () => {
      isTerminated = true;
      leave();
      ended ??= Promise.all([closePort(), pool.destroy()]).then(() => undefined);
      return ended;
    },
    kill: (reason) => {
      cause ??= reason;
      void worker.terminate();
    },
  };
  thread.hold(false);
  listener.onReady(thread);
}
