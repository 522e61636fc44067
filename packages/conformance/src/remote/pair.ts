/**
 * An engine behind a port, in the shape of an engine: work goes through a remote client, and what can only be looked up
 * asynchronously there is looked up at the engine itself, which lives in the same thread.
 */
import { MessageChannel } from "node:worker_threads";
import { type CloseOptions, type CloseReport, type Engine, type EngineOptions, createEngine } from "@threadmill/engine";
import { type Exposure, type RemoteEngine, connectEngine, exposeEngine } from "@threadmill/engine/remote";

export interface RemotePair {
  readonly engine: Engine;
  readonly exposure: Exposure;
  readonly remote: RemoteEngine;
  /** The client as an engine. */
  readonly face: Engine;
}

/** An engine, and a client of it in the same thread. */
export function connectPair(options: EngineOptions): RemotePair {
  const { port1, port2 } = new MessageChannel();
  const engine = createEngine(options);
  const exposure = exposeEngine(engine, port1, { mayClose: true });
  const remote = connectEngine(port2);
  return { engine, exposure, remote, face: faceOf(engine, remote) };
}

function faceOf(engine: Engine, remote: RemoteEngine): Engine {
  const asked: Partial<Record<keyof Engine, unknown>> = {
    run: remote.run.bind(remote),
    call: remote.call.bind(remote),
    map: remote.map.bind(remote),
    warm: remote.warm.bind(remote),
    drain: remote.drain.bind(remote),
    cancel: remote.cancel.bind(remote),
    [Symbol.asyncDispose]: async () => void (await remote.closeEngine({ deadlineMs: 0 })),
    close: (options?: CloseOptions): Promise<CloseReport> => remote.closeEngine(options),
  };
  return new Proxy(engine, {
    get(target, name) {
      if (name in asked) return asked[name as keyof Engine];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
