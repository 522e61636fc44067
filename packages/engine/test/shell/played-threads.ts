/**
 * Threads played by a test: real ports, a real control block, and nothing that happens by itself. The test decides
 * when a thread starts, reads, claims, answers and dies, and when what it said arrives. It may also make it lie.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import {
  type BatchMessage,
  type Column,
  ControlRow,
  type FromThread,
  type PositionFailure,
  type ThreadSetup,
  type ToThread,
  toErrorRecord,
} from "@threadmill/protocol";
import type { Runner, Thread, ThreadListener } from "../../src/runners/runner.js";

/** What a played thread does with an item. What it throws fails the item. */
export type Handler = (item: unknown, index: number, attempt: number) => unknown;

interface Held {
  readonly number: number;
  readonly message: BatchMessage;
  next: number;
  readonly values: unknown[];
  readonly failures: PositionFailure[];
}

type Setup = Omit<ThreadSetup<MessagePort>, "port">;

export class PlayedThread {
  readonly slot: number;
  readonly incarnation: number;
  readonly row: ControlRow;
  /** All that the engine has said and the thread has read. */
  readonly heard: ToThread[] = [];
  phase: "starting" | "ready" | "failed" | "lost" | "terminated" = "starting";
  isHeld = false;
  isAside = false;
  readonly #runner: PlayedRunner;
  readonly #listener: ThreadListener;
  /** The engine's end: real, but what comes in is handed over only by `deliver`. */
  readonly #port: MessagePort;
  readonly #own: MessagePort;
  readonly #hearers: ((message: unknown) => void)[] = [];
  readonly #held: Held[] = [];
  readonly #recipes = new Map<number, string>();
  readonly #described = new Set<number>();
  readonly #closed: Promise<void>;
  #undelivered = 0;
  #unread = 0;

  constructor(runner: PlayedRunner, slot: number, setup: Setup, listener: ThreadListener) {
    this.#runner = runner;
    this.slot = slot;
    this.incarnation = setup.incarnation;
    this.row = new ControlRow(setup.control, setup.row, false);
    this.#listener = listener;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#own = port2;
    this.#closed = new Promise((resolve) => {
      port1.once("close", resolve);
    });
    const post = port1.postMessage.bind(port1);
    const on = port1.on.bind(port1);
    Object.assign(port1, {
      postMessage: (...args: Parameters<typeof post>) => {
        post(...args);
        this.#unread++;
        this.#runner.onChange(this);
      },
      on: (event: string, hearer: (message: unknown) => void) => {
        if (event === "message") this.#hearers.push(hearer);
        else on(event as "message", hearer);
        return port1;
      },
    });
  }

  // ——— its life

  open(): void {
    this.phase = "ready";
    const thread: Thread = {
      isOwnThread: true,
      port: this.#port,
      hold: (isHeld) => {
        this.isHeld = isHeld;
      },
      setAside: () => {
        this.isAside = true;
      },
      terminate: () => {
        if (this.phase === "ready") this.phase = "terminated";
        this.#runner.onChange(this);
        if (this.#runner.neverEnds) return new Promise(() => undefined);
        this.#port.close();
        return this.#closed;
      },
      kill: () => {
        throw new Error("no played thread closes its port and lives");
      },
    };
    this.#listener.onReady(thread);
    this.#runner.onChange(this);
  }

  fail(cause: unknown): void {
    this.phase = "failed";
    this.#port.close();
    this.#listener.onFailed(cause);
  }

  /** Dies by itself. What it has said by now still arrives. */
  die(cause: unknown = new Error("killed by the test")): void {
    if (this.phase !== "ready") return;
    this.phase = "lost";
    this.#undelivered = 0;
    this.#listener.onLost(cause);
  }

  // ——— what it says

  /** Says something, which arrives at the next `deliver`. */
  post(message: FromThread): void {
    this.#send(message);
    this.#runner.onChange(this);
  }

  #send(message: unknown): void {
    this.#own.postMessage(message);
    this.#undelivered++;
  }

  /** Hands the oldest word over to the engine; false if there is none. */
  deliver(): boolean {
    if (this.phase !== "ready" || this.#undelivered === 0) return false;
    this.#undelivered--;
    const received = receiveMessageOnPort(this.#port);
    if (received === undefined) return false;
    this.#hand(received.message);
    return true;
  }

  /** Says something that may be no message at all, and hands it over at once. Throws what the engine's handler throws. */
  say(message: unknown): void {
    while (this.deliver());
    this.#send(message);
    this.#undelivered--;
    this.#hand(receiveMessageOnPort(this.#port)?.message);
  }

  /** The same, however dead the thread is: some versions of Node deliver what was under way after the end. */
  sayLate(message: unknown): void {
    this.#hand(structuredClone(message));
  }

  /** The next message to the thread is lost on the way. */
  loseOne(): void {
    this.#unread--;
    receiveMessageOnPort(this.#own);
  }

  /** The oldest word that was not delivered is lost on the way. */
  loseWord(): void {
    this.#undelivered--;
    receiveMessageOnPort(this.#port);
  }

  /** Says something that the engine's side cannot read. */
  sayUnreadable(): void {
    this.#port.emit("messageerror", new Error("it nests too deep"));
  }

  #hand(message: unknown): void {
    for (const hear of this.#hearers) hear(message);
  }

  // ——— what an honest thread does

  get hasWord(): boolean {
    return this.phase === "ready" && this.#undelivered > 0;
  }

  get hasWork(): boolean {
    return this.phase === "ready" && (this.#unread > 0 || this.#held.length > 0);
  }

  /** The batches that it holds, by their numbers. */
  get holds(): number[] {
    return this.#held.map(({ number }) => number);
  }

  /** Does one thing: reads a message, describes a task, runs an item, or answers. False if there is nothing to do. */
  step(): boolean {
    if (!this.hasWork) return false;
    if (this.#unread > 0) {
      this.#unread--;
      this.#read(receiveMessageOnPort(this.#own)?.message as ToThread);
      return true;
    }
    const held = this.#held[0] as Held;
    const { number, message } = held;
    const [, , recipe, , , count] = message;
    if (!this.#described.has(recipe)) {
      this.#described.add(recipe);
      this.post(["described", recipe, "item", 1, 0, undefined]);
    } else if (this.row.isStopped(number)) {
      this.#held.shift();
      this.post(["done", number, 0, [], undefined, 0, 0]);
    } else if (held.next < count && this.row.claim(number, held.next)) {
      this.#run(held, held.next++);
    } else {
      this.#held.shift();
      const failures = held.failures.length === 0 ? undefined : held.failures;
      this.post(["done", number, held.next, held.values, failures, 0.01 * held.next, 0]);
    }
    return true;
  }

  #read(message: ToThread): void {
    this.heard.push(message);
    switch (message[0]) {
      case "introduce":
        this.#recipes.set(message[1], message[3]);
        break;
      case "batch":
        this.#held.push({ number: message[1], message, next: 0, values: [], failures: [] });
        break;
      case "forget":
        this.#recipes.delete(message[1]);
        this.#described.delete(message[1]);
        break;
      case "which":
        this.post(["held", this.holds]);
        break;
      case "close":
        if (!this.#runner.neverTearsDown) this.post(["closed"]);
        break;
    }
  }

  #run({ message, values, failures, number }: Held, position: number): void {
    const [, , recipe, , indices, , items, attempts] = message;
    const index = typeof indices === "number" ? indices + position : (indices[position] as number);
    const attempt = attempts?.[position] ?? 1;
    const name = this.#recipes.get(recipe) as string;
    this.#runner.runs.push({ name, index, attempt });
    try {
      const handler = this.#runner.handlers[name] as Handler;
      values.push(structuredClone(handler((items as Column)[position], index, attempt)));
    } catch (error) {
      values.push(undefined);
      failures.push([position, "TASK_FAILED", toErrorRecord(error)]);
      this.row.noteFault(number);
    }
  }
}

export class PlayedRunner implements Runner {
  readonly threads: number;
  /** By the export's name. */
  readonly handlers: Record<string, Handler>;
  /** Every thread there ever was. */
  readonly all: PlayedThread[] = [];
  readonly runs: { readonly name: string; readonly index: number; readonly attempt: number }[] = [];
  /** Threads do not answer when they are asked to tear down. */
  neverTearsDown = false;
  /** Threads do not end when they are terminated. */
  neverEnds = false;
  /** Called when a thread may have something to do, or to say. */
  onChange: (thread: PlayedThread) => void = () => undefined;
  onStart: (thread: PlayedThread) => void = (thread) => queueMicrotask(() => thread.open());

  constructor(threads: number, handlers: Record<string, Handler> = {}) {
    this.threads = threads;
    this.handlers = handlers;
  }

  start(slot: number, setup: Setup, listener: ThreadListener): void {
    const thread = new PlayedThread(this, slot, setup, listener);
    this.all.push(thread);
    this.onStart(thread);
  }

  /** The thread that the slot has now. */
  at(slot: number): PlayedThread {
    return this.all.findLast((thread) => thread.slot === slot && !thread.isAside) as PlayedThread;
  }

  /** Lets all threads do all that they can, until nothing is left to do or to say. */
  play(maxSteps = 100_000): void {
    for (let steps = 0; this.playOne();) {
      if (++steps > maxSteps) throw new Error(`threads are still busy after ${maxSteps} steps`);
    }
  }

  /** One step of each thread; false if none had anything to do. */
  playOne(): boolean {
    let hasDone = false;
    for (const thread of [...this.all]) {
      hasDone = thread.step() || hasDone;
      hasDone = thread.deliver() || hasDone;
    }
    return hasDone;
  }
}
