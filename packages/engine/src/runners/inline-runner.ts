/**
 * `threads: 0`: the same runner behind the same kind of port, on the main thread. Everything is cloned both ways and
 * every batch is a turn of the event loop, so that what passes inline passes in threads.
 */
import { MessageChannel } from "node:worker_threads";
import { type Runner, portCloser } from "./runner.js";

export function createInlineRunner(): Runner {
  return {
    threads: 1,
    start(_slot, setup, listener) {
      const { port1, port2 } = new MessageChannel();
      const closePort = portCloser(port1);
      // Loaded when it is needed: who works with threads never does.
      import("@threadmill/workers/runner").then(
        ({ startRunner }) => {
          startRunner({ ...setup, port: port2 }, { isOwnThread: false });
          listener.onReady({
            isOwnThread: false,
            port: port1,
            hold: (isHeld) => {
              for (const port of [port1, port2]) {
                if (isHeld) port.ref();
                else port.unref();
              }
            },
            setAside: () => undefined,
            terminate: closePort,
            kill: (cause) => listener.onLost(cause),
          });
        },
        (error: unknown) => listener.onFailed(error),
      );
    },
  };
}
