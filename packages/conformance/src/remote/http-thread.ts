/** A thread with an HTTP server, whose work is done by an engine elsewhere. */
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { connectEngine } from "@threadmill/engine/remote";
import { addOne, gated } from "../fixtures/index.js";

export interface HttpThreadData {
  readonly port: MessagePort;
  readonly gate: SharedArrayBuffer;
}

const { port, gate } = workerData as HttpThreadData;
const engine = connectEngine(port);

function* upTo(count: number): Generator<number> {
  for (let value = 0; value < count; value++) yield value;
}

/** What a request asks for, until its caller goes away. */
async function answer({ pathname, searchParams }: URL, signal: AbortSignal): Promise<unknown> {
  const number = (name: string): number => Number(searchParams.get(name));
  switch (pathname) {
    case "/call":
      return { value: await engine.call(addOne, number("value"), { signal }) };
    case "/map": {
      const values = await engine.map(addOne, [...upTo(number("count"))], { signal });
      return { count: values.length, sum: values.reduce((sum, value) => sum + value, 0) };
    }
    case "/stream": {
      let seen = 0;
      const job = engine.run(addOne, upTo(number("count")), { collect: false, signal });
      for await (const batch of job.batches()) seen += batch.length;
      return { seen };
    }
    case "/shared": {
      const { values } = await engine.run(addOne, [1, 2, 3], { id: searchParams.get("id") ?? "" }).result;
      return { values };
    }
    case "/hang":
      await engine.run(gated, [{ value: 1, gate }], { id: "hanging", signal }).result;
      return {};
    default:
      throw new Error(`no such page: ${pathname}`);
  }
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const controller = new AbortController();
  response.on("close", () => controller.abort());
  try {
    const body = await answer(new URL(request.url ?? "", "http://localhost"), controller.signal);
    response.end(JSON.stringify(body));
  } catch (error) {
    response.writeHead(500).end(JSON.stringify({ error: String(error) }));
  }
}

const server = createServer((request, response) => void respond(request, response));
server.listen(0, "127.0.0.1", () => parentPort?.postMessage((server.address() as AddressInfo).port));
// The thread ends by itself when it has neither a server nor an engine.
parentPort?.once("message", () => {
  server.close();
  server.closeAllConnections();
  void engine.close();
});
