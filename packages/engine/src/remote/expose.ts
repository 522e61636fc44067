/** Lets clients on the other side of a port use an engine. */
import { isMainThread } from "node:worker_threads";
import { InvalidArgumentError } from "@threadmill/protocol";
import type { Engine } from "../engine.js";
import { object, refuseUnknown } from "../option-checks.js";
import { Connection } from "./connection.js";
import { type ClientFace, ENGINE_METHODS, type EngineFace } from "./messages.js";
import { lostError } from "./reasons.js";
import { Session } from "./session.js";
import type { Endpoint } from "./wire.js";

export interface ExposeOptions {
  /** Whether this client may close the engine for everybody. Default false. */
  readonly mayClose?: boolean;
  /**
   * Which tasks this client may run: those for which it answers `true`, and nothing but that. Default: any, and so any
   * module on this machine: it is the client's code that runs. `url` is as `task` makes it: absolute, without `..`.
   */
  readonly mayRun?: (task: { readonly url: string; readonly exportName: string }) => boolean;
  /**
   * Whether a connected client keeps this thread alive. Default: true in a worker thread, which has nothing else to live
   * for; false on the main thread. A `Worker` that is the endpoint itself is left as it is.
   */
  readonly holds?: boolean;
}

/** One client's access to an engine. */
export interface Exposure {
  readonly isOpen: boolean;
  /** Jobs that are followed for the client at the moment. */
  readonly jobs: number;
  /** Resolves when the connection is over, from whichever side. */
  readonly closed: Promise<void>;
  /** Ends the connection; the engine goes on. Jobs that only this client wanted are cancelled. */
  close(): void;
}

/**
 * Lets the other side of `endpoint` use the engine, by `connectEngine` there. One call for each client.
 *
 * @throws {InvalidArgumentError} the engine, the endpoint or an option is none, or the endpoint is in use.
 */
export function exposeEngine(engine: Engine, endpoint: Endpoint, options: ExposeOptions = {}): Exposure {
  if (typeof engine !== "object" || engine === null || !("results" in engine)) {
    throw new InvalidArgumentError("exposeEngine: the first argument must be an engine, made by createEngine");
  }
  object("exposeEngine: options", options);
  // A misspelt `mayRun` would let everything run.
  refuseUnknown("exposeEngine", options, ["mayClose", "mayRun", "holds"]);
  const { mayClose, mayRun, holds } = options;
  for (const [name, value, type] of [
    ["mayClose", mayClose, "boolean"],
    ["mayRun", mayRun, "function"],
    ["holds", holds, "boolean"],
  ] as const) {
    if (value === undefined || typeof value === type) continue;
    throw new InvalidArgumentError(`exposeEngine: ${name} must be a ${type}`);
  }
  let session!: Session;
  let noteClosed!: () => void;
  const closed = new Promise<void>((resolve) => (noteClosed = resolve));
  const connection: Connection<EngineFace, ClientFace> = new Connection<EngineFace, ClientFace>({
    endpoint,
    makeOwn: (own) => (session = new Session(engine, own, options)),
    ownMethods: ENGINE_METHODS,
    onOver: (error) => {
      session.end(error);
      noteClosed();
    },
  });
  if (!("threadId" in endpoint)) connection.wire.hold(holds ?? !isMainThread);
  return {
    closed,
    get isOpen() {
      return !connection.isOver;
    },
    get jobs() {
      return session.size;
    },
    close: () => connection.end(lostError("the engine's side has closed it"), true),
  };
}
