/** What the engine needs of something that runs threads. There are two: Piscina's, and the main thread itself. */
import type { MessagePort } from "node:worker_threads";
import type { ThreadSetup } from "@threadmill/protocol";

/** One running thread. */
export interface Thread {
  /** False where the "thread" is the main thread itself, which is never condemned. */
  readonly isOwnThread: boolean;
  /** The engine's end of the channel. */
  readonly port: MessagePort;
  /** Whether the thread, busy or not, keeps the process alive. It does not at first. */
  hold(isHeld: boolean): void;
  /** From now on the slot belongs to another thread; this one is left alone until it is terminated. */
  setAside(): void;
  /** Ends the thread, whatever it does: the caller has made sure that it may. Resolves when it is gone. */
  terminate(): Promise<void>;
  /** The same for one that does not keep to the protocol: `onLost` follows, with this cause. */
  kill(cause: unknown): void;
}

/** Called by a runner, each at most once per thread; `onLost` only after `onReady`. */
export interface ThreadListener {
  onReady(thread: Thread): void;
  /** The thread could not be started. */
  onFailed(cause: unknown): void;
  /** The thread has ended by itself. */
  onLost(cause: unknown): void;
}

/** How to close a port, once or more often: resolves when nothing of it is left, whoever has closed it. */
export function portCloser(port: MessagePort): () => Promise<void> {
  const closed = new Promise<void>((resolve) => {
    port.once("close", resolve);
  });
  return () => {
    port.close();
    return closed;
  };
}

export interface Runner {
  /** Threads that can run at once. */
  readonly threads: number;
  /** Starts a thread for the slot. The slot's last one has been lost, set aside or terminated. */
  start(slot: number, setup: Omit<ThreadSetup<MessagePort>, "port">, listener: ThreadListener): void;
}
