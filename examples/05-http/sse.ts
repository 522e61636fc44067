/**
 * Server-sent events for one client, who may be slow, may vanish, and may come back.
 *
 * What is sent is how things stand, not how they came to be so: what a slow client has not taken yet is replaced by
 * what is newer, so that at most one event waits here, and a client that comes back is told the newest and has missed
 * nothing.
 */
import type { ServerResponse } from "node:http";

/** The id of the last event. A browser that comes back sends it along, and is told to stay away (204). */
export const LAST_EVENT_ID = "last";

const HEARTBEAT_MS = 15_000;
/** When a browser that has lost the connection comes back. */
const RETRY_MS = 2_000;

/** Is aborted when the client has gone, and also when all has been said. */
export function whenGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const { socket } = response.req;
  const leave = (): void => {
    socket.off("close", leave);
    gone.abort(new DOMException("the client has gone", "AbortError"));
  };
  if (response.destroyed || socket.destroyed) leave();
  else {
    response.once("close", leave);
    // A response that waits behind another one on its connection is not told when that closes.
    socket.once("close", leave);
  }
  return gone.signal;
}

export class EventStream {
  readonly #response: ServerResponse;
  /** The newest event that the client had no room for. */
  #waiting: string | undefined;
  #isEnding = false;

  constructor(response: ServerResponse, gone: AbortSignal, heartbeatMs = HEARTBEAT_MS) {
    this.#response = response;
    response.writeHead(200, {
      "content-type": "text/event-stream",
      // Between us and the client nobody shall keep, compress or gather the events.
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      // Nothing follows on this connection: a server that closes need not wait until its client lets go of it.
      connection: "close",
    });
    response.write(`retry: ${RETRY_MS}\n\n`);
    // A comment now and then: proxies end connections that are silent, and we learn of clients that are no more.
    const heartbeat = setInterval(() => {
      // After the last event nothing may follow, though the client has yet to take it.
      if (!this.#isEnding && !response.writableNeedDrain) response.write(":\n\n");
    }, heartbeatMs);
    response.on("drain", () => this.#flush());
    gone.addEventListener("abort", () => clearInterval(heartbeat));
  }

  /** Tells the client how things stand now. */
  update(event: string, data: unknown): void {
    if (this.#isEnding) return;
    this.#waiting = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#flush();
  }

  /** The same for the last time. The response ends when the client has taken it. */
  end(event: string, data: unknown): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#waiting = `id: ${LAST_EVENT_ID}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#flush();
  }

  /** A response whose client has gone takes everything, and does nothing with it. */
  #flush(): void {
    if (this.#waiting === undefined || this.#response.writableNeedDrain) return;
    const event = this.#waiting;
    this.#waiting = undefined;
    if (this.#isEnding) this.#response.end(event);
    else this.#response.write(event);
  }
}
