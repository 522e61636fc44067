/** The program as it is started, and what signals do to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, get } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { allEvents } from "./helpers/read-events.js";
import { LONG, LONG_ID, post } from "./helpers/service.js";

const MAIN = fileURLToPath(new URL("../../dist/05-http/main.js", import.meta.url));

describe("the program", () => {
  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)(
    "ends by itself after %s in mid-job, with code %i and a last event for everyone",
    async (signal, code) => {
      const { address, end, child } = await start("--deadline-ms", "0");
      const running = await post(`${address}/run`, { below: LONG });
      const watcher = await watch(`${address}/jobs/${LONG_ID}/events`);
      child.kill(signal);
      const last = { id: LONG_ID, below: LONG, state: "cancelled", error: { message: "the engine was closed" } };
      expect((await allEvents(running)).at(-1)).toEqual({ event: "settled", id: "last", data: last });
      const { text, complete } = await watcher.end;
      expect(text.endsWith(`event: settled\ndata: ${JSON.stringify(last)}\n\n`)).toBe(true);
      // The response has ended as it should: no connection broke.
      expect(complete).toBe(true);
      expect(await end).toEqual([code, null]);
      await expect(fetch(address)).rejects.toThrow("fetch failed");
    },
  );

  it("lets jobs end by the deadline, and takes no new ones", async () => {
    const { address, end, child } = await start("--deadline-ms", "600000");
    const running = await post(`${address}/run`, { below: LONG });
    child.kill("SIGTERM");
    await refusal(address);
    expect(await (await fetch(`${address}/jobs/${LONG_ID}`)).json()).toHaveProperty("progress");
    await fetch(`${address}/jobs/${LONG_ID}`, { method: "DELETE" });
    expect((await allEvents(running)).at(-1)).toMatchObject({ data: { error: { message: "cancelled on request" } } });
    expect(await end).toEqual([143, null]);
  });

  it("ends at once by a second signal", async () => {
    const { address, end, child } = await start("--deadline-ms", "600000");
    await post(`${address}/jobs`, { below: LONG });
    // One that follows closely is taken for an echo of the first: with every event another, until one counts.
    const watcher = await watch(`${address}/jobs/${LONG_ID}/events`, () => child.kill("SIGTERM"));
    expect(await end).toEqual([null, "SIGTERM"]);
    const { text, complete } = await watcher.end;
    expect(text).not.toContain("settled");
    expect(complete).toBe(false);
  });

  it("ends although a client never finishes what it has to say", async () => {
    const { address, end, child } = await start("--deadline-ms", "0");
    const socket = connect(Number(new URL(address).port), "127.0.0.1");
    const closed = once(socket, "close");
    await once(socket, "connect");
    socket.write("POST /jobs HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{");
    // Asked for later: by the time it is answered, the server has the other.
    await fetch(`${address}/jobs/${LONG_ID}`);
    child.kill("SIGTERM");
    expect(await end).toEqual([143, null]);
    await closed;
  });

  it("says how it is used", async () => {
    const { code, out, err } = await ended("--help");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("--deadline-ms");
  });

  it.each([
    [["--port", "http"], '--port must be a whole number from 0 to 65535, not "http"'],
    [["--port", "65536"], "--port must be"],
    [["--deadline-ms", "soon"], "--deadline-ms must be"],
    [["--prot", "80"], "Unknown option '--prot'"],
  ])("refuses %j with a line and the usage", async (words, message) => {
    const { code, out, err } = await ended(...words);
    expect([code, out]).toEqual([2, ""]);
    expect(err.startsWith(message)).toBe(true);
    expect(err).toContain("usage: ");
    expect(err).not.toContain("    at ");
  });

  it("says that its port is in use, and ends", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { code, out, err } = await ended("--port", String(port));
    expect([code, out]).toEqual([1, ""]);
    expect(err.trim()).toBe(`listen EADDRINUSE: address already in use 127.0.0.1:${port}`);
  });

  it("shows what it does, and ends", async () => {
    const { end, output } = await start("--demo");
    expect(await end).toEqual([0, null]);
    expect(output()).toContain('"primes":78498');
  });
});

interface Program {
  readonly child: ChildProcess;
  readonly address: string;
  readonly end: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  readonly output: () => string;
}

async function start(...words: string[]): Promise<Program> {
  const child = spawn(process.execPath, [MAIN, "--port", "0", ...words], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const end = once(child, "close") as Program["end"];
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  for (;;) {
    const address = /listening on (\S+)\n/.exec(output)?.[1];
    if (address !== undefined) return { child, address, end, output: () => output };
    await Promise.race([once(child.stdout, "data"), end.then(() => Promise.reject(new Error("it ended early")))]);
  }
}

/** What it said, and its exit code, where it ends by itself. */
async function ended(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}

interface Watcher {
  readonly end: Promise<{ readonly text: string; readonly complete: boolean }>;
}

/**
 * A watcher that has heard something, and will hear the end. With Node's own client: whether `fetch` tells a response
 * that was cut off from one that has ended is up to its version.
 */
async function watch(url: string, onData: () => void = () => undefined): Promise<Watcher> {
  const [response] = (await once(get(url), "response")) as [IncomingMessage];
  let text = "";
  response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  response.on("data", onData).on("error", () => undefined);
  const end = new Promise<void>((resolve) => response.once("close", resolve));
  await once(response, "data");
  return { end: end.then(() => ({ text, complete: response.complete })) };
}

/** Asks for what runs already until that is refused: the signal has arrived. */
async function refusal(address: string): Promise<void> {
  for (;;) {
    const response = await post(`${address}/jobs`, { below: LONG });
    const { code } = (await response.json()) as { code?: string };
    if (response.status === 503 && code === "ENGINE_CLOSED") return;
  }
}
