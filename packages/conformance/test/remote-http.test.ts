/** Four HTTP servers in four threads share one engine: real requests over loopback. */
import { request as httpRequest } from "node:http";
import { MessageChannel, type Worker } from "node:worker_threads";
import { createEngine } from "@threadmill/engine";
import { type Exposure, exposeEngine } from "@threadmill/engine/remote";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { range } from "../src/assertions.js";
import { Gate } from "../src/gate.js";
import { until } from "../src/leaks.js";
import { ended, nextMessage, startThread } from "../src/remote/threads.js";

const SERVERS = 4;

describe("four HTTP threads with one engine", () => {
  const engine = createEngine({ threads: 2 });
  const gate = new Gate();
  const exposures: Exposure[] = [];
  const threads: Worker[] = [];
  let origins: string[] = [];

  beforeAll(async () => {
    const ports = range(SERVERS).map(() => {
      const { port1, port2 } = new MessageChannel();
      exposures.push(exposeEngine(engine, port1));
      const thread = startThread("http-thread", { port: port2, gate: gate.shared });
      threads.push(thread);
      return nextMessage(thread);
    });
    origins = (await Promise.all(ports)).map((port) => `http://127.0.0.1:${String(port)}`);
  });

  afterAll(async () => {
    for (const thread of threads) await thread.terminate();
    await engine.close({ deadlineMs: 0 });
  });

  const get = async (server: number, path: string): Promise<unknown> => {
    const response = await fetch(`${origins[server % SERVERS]}${path}`);
    if (response.status !== 200) throw new Error(await response.text());
    return response.json();
  };

  test("answer many requests at once, each with its own result", async () => {
    const answers = await Promise.all(range(200).map((value) => get(value, `/call?value=${value}`)));
    expect(answers).toEqual(range(200).map((value) => ({ value: value + 1 })));
    expect(engine.stats().threads.length).toBe(2);
  });

  test("run large jobs side by side, and stream", async () => {
    const count = 20_000;
    const sum = (count * (count + 1)) / 2;
    const mapped = await Promise.all(range(SERVERS).map((server) => get(server, `/map?count=${count}`)));
    expect(mapped).toEqual(range(SERVERS).map(() => ({ count, sum })));
    const streamed = await Promise.all(range(SERVERS).map((server) => get(server, `/stream?count=${count}`)));
    expect(streamed).toEqual(range(SERVERS).map(() => ({ seen: count })));
  });

  test("share a job by its id, and its result afterwards", async () => {
    const before = engine.results.stats.hits;
    const all = await Promise.all(range(20).map((server) => get(server, "/shared?id=album")));
    expect(all).toEqual(range(20).map(() => ({ values: [2, 3, 4] })));
    expect(await get(0, "/shared?id=album")).toEqual({ values: [2, 3, 4] });
    expect(engine.results.stats.hits).toBeGreaterThan(before);
  });

  test("cancel the work of a browser that goes away", async () => {
    const request = httpRequest(`${origins[0]}/hang`);
    request.on("error", () => undefined);
    request.end();
    await gate.arrived();
    expect(engine.job("hanging")?.state).toBe("running");
    request.destroy();
    await until(() => engine.job("hanging")?.state === "cancelled");
    expect(engine.job("hanging")).toMatchObject({ state: "cancelled" });
    gate.open();
  });

  test("end by themselves when they are told to stop, and leave nothing with the engine", async () => {
    await engine.drain();
    const codes = threads.map(ended);
    for (const thread of threads) thread.postMessage("stop");
    expect(await Promise.all(codes)).toEqual(range(SERVERS).map(() => 0));
    await Promise.all(exposures.map(({ closed }) => closed));
    expect(exposures.map(({ isOpen, jobs }) => [isOpen, jobs])).toEqual(range(SERVERS).map(() => [false, 0]));
    expect(engine.jobs()).toEqual([]);
  });
});
