/** One stream to one client, over real sockets, on the built code. */
import { once } from "node:events";
import { type ServerResponse, createServer } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { EventStream, whenGone } from "../../dist/05-http/sse.js";

const FILLER = "x".repeat(10_000);

describe("a client that does not read", () => {
  it("costs no more than one event and what the connection holds, and hears the newest when it reads on", async () => {
    const { response, socket } = await connection();
    socket.pause();
    const stream = new EventStream(response, whenGone(response));
    const sent = await fill(stream, response);
    let most = 0;
    const newest = sent + 1_000;
    for (let n = sent; n <= newest; n++) {
      stream.update("progress", { n, filler: FILLER });
      most = Math.max(most, response.writableLength);
    }
    expect(most).toBeLessThan(response.writableHighWaterMark + 2 * FILLER.length);

    const heard = numbersIn(socket);
    const numbers = await heard.until(newest);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers.filter((n) => n >= sent)).toEqual([newest]);
    stream.end("settled", { n: -1 });
    expect((await heard.until(-1)).slice(-2)).toEqual([newest, -1]);
  });

  it("hears how it ended instead of what was newest before", async () => {
    const { response, socket } = await connection();
    socket.pause();
    const stream = new EventStream(response, whenGone(response));
    await fill(stream, response);
    stream.update("progress", { n: 1_000_000 });
    stream.end("settled", { n: -1 });
    stream.update("progress", { n: 1_000_001 });
    stream.end("settled", { n: -2 });
    expect(response.writableEnded).toBe(false);
    const numbers = await numbersIn(socket).toEnd();
    expect(numbers.at(-1)).toBe(-1);
    expect(numbers).not.toContain(1_000_000);
  });

  it("gets no heartbeats either", async () => {
    const { response, socket } = await connection();
    socket.pause();
    const stream = new EventStream(response, whenGone(response), 1);
    await fill(stream, response);
    const { writableLength } = response;
    await heartbeats();
    expect(response.writableLength).toBe(writableLength);
  });

  it("gets none after its last event either, which it has yet to take", async () => {
    const { response, socket } = await connection();
    socket.pause();
    const stream = new EventStream(response, whenGone(response), 1);
    // Full is the connection, and not what the response holds back for it.
    let n = 0;
    do {
      stream.update("progress", { n: n++, filler: FILLER });
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    } while (response.writableLength === 0);
    const errors: unknown[] = [];
    response.on("error", (error) => errors.push(error));
    stream.end("settled", { n: -1 });
    expect([response.writableEnded, response.writableFinished]).toEqual([true, false]);
    await heartbeats();
    expect(errors).toEqual([]);
    expect((await numbersIn(socket).toEnd()).at(-1)).toBe(-1);
  });
});

describe("a client that has gone", () => {
  it("is told nothing, and that does no harm", async () => {
    const { response, socket } = await connection();
    const gone = whenGone(response);
    const stream = new EventStream(response, gone);
    socket.destroy();
    await once(gone, "abort");
    stream.update("progress", { n: 0 });
    stream.end("settled", { n: 1 });
    expect(whenGone(response).aborted).toBe(true);
    expect((gone.reason as Error).message).toBe("the client has gone");
  });
});

interface Connection {
  readonly response: ServerResponse;
  readonly socket: Socket;
}

/** A response that has not begun, and the bare socket of the client that waits for it. */
async function connection(): Promise<Connection> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  socket.write("GET / HTTP/1.1\r\nhost: test\r\n\r\n");
  const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
  return { response, socket };
}

/**
 * Sends until the connection holds no more: also not after some turns of the event loop, in which the kernel takes what
 * it has room for. Answers how many it sent.
 */
async function fill(stream: EventStream, response: ServerResponse): Promise<number> {
  let n = 0;
  for (let fullTurns = 0; fullTurns < 20; n++) {
    stream.update("progress", { n, filler: FILLER });
    await new Promise(setImmediate);
    fullTurns = response.writableNeedDrain ? fullTurns + 1 : 0;
  }
  return n;
}

/** Timers that are as short, and were set later: the heartbeat has had its turns. */
async function heartbeats(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Reads on, and picks the numbers out of the events. */
function numbersIn(socket: Socket) {
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
  socket.resume();
  const numbers = (): number[] => [...text.matchAll(/"n":(-?\d+)/g)].map(([, n]) => Number(n));
  return {
    async until(last: number): Promise<number[]> {
      while (numbers().at(-1) !== last) await once(socket, "data");
      return numbers();
    },
    async toEnd(): Promise<number[]> {
      if (!socket.readableEnded) await once(socket, "end");
      return numbers();
    },
  };
}
