/** The routes over real sockets, on the built code: threads load compiled task modules. */
import { connect } from "node:net";
import { type JobEvents, type JobHandle, task } from "@threadmill/engine";
import { describe, expect, it } from "vitest";
import { allEvents, readBlocks, readEvents, type ServerEvent } from "./helpers/read-events.js";
import { LONG, LONG_ID, startService, type Service } from "./helpers/service.js";

/** Before and after its first batch has gone to a thread. */
const LIVE = ["waiting", "running"];
const HUNDRED = { id: "primes-below-100", below: 100, state: "completed", primes: 25 };

describe("a job that was started", () => {
  it("is told of: at once, by its id, and when it has ended", async () => {
    const service = await startService();
    const response = await service.post("/jobs", { below: 100 });
    expect(response.status).toBe(202);
    expect(response.headers.get("location")).toBe("/jobs/primes-below-100");
    expect(await response.json()).toMatchObject({ id: "primes-below-100", below: 100, progress: { total: 1 } });
    await allEvents(await service.get("/jobs/primes-below-100/events"));
    expect(await (await service.get("/jobs/primes-below-100")).json()).toEqual(HUNDRED);
  });

  it("is live until then", async () => {
    const service = await startService();
    await service.post("/jobs", { below: LONG });
    expect(await (await service.get(`/jobs/${LONG_ID}`)).json()).toMatchObject({
      state: expect.toBeOneOf(LIVE) as unknown,
      progress: { total: 100_000 },
    });
  });

  it("is not run again for the same question, neither while it runs nor afterwards", async () => {
    const service = await startService();
    await Promise.all([service.post("/jobs", { below: 100 }), service.post("/jobs", { below: 100 })]);
    await service.engine.drain();
    const again = await service.post("/jobs", { below: 100 });
    expect([again.status, await again.json()]).toEqual([200, HUNDRED]);
    expect(await allEvents(await service.post("/run", { below: 100 }))).toMatchObject([
      { event: "progress" },
      { event: "settled", data: HUNDRED },
    ]);
    expect(service.engine.results.stats).toMatchObject({ entries: 1, hits: 2 });
  });

  it("goes on when those who watch it leave", async () => {
    const service = await startService();
    await service.post("/jobs", { below: LONG });
    await leaveMidStream(service, `/jobs/${LONG_ID}/events`);
    expect(LIVE).toContain(observed(service).state);
  });
});

describe("bad input", () => {
  it.each([
    ["no field", {}, "body must have required property 'below'"],
    ["a misspelt field", { belw: 7, below: 7 }, "body must NOT have additional properties"],
    ["a number in a string", { below: "7" }, "body/below must be integer"],
    ["half a number", { below: 7.5 }, "body/below must be integer"],
    ["too small a number", { below: 1 }, "body/below must be >= 2"],
    ["too large a number", { below: 1e9 + 1 }, "body/below must be <= 1000000000"],
    ["a list", [7], "body must be object"],
    ["no JSON", "{below", "Body is not valid JSON but content-type is set to 'application/json'"],
  ])("is refused before any work starts: %s", async (_what, body, message) => {
    const service = await startService();
    const heard: unknown[] = [];
    service.engine.on("job", (event) => heard.push(event));
    for (const path of ["/jobs", "/run"]) {
      const response = await service.post(path, body);
      expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ message })]);
    }
    expect(heard).toEqual([]);
  });
});

describe("an unknown id", () => {
  it.each([
    ["GET", ""],
    ["GET", "/events"],
    ["DELETE", ""],
  ])("is not found: %s /jobs/:id%s", async (method, path) => {
    const { address } = await startService();
    const response = await fetch(`${address}/jobs/primes-below-7${path}`, { method });
    expect([response.status, await response.json()]).toEqual([
      404,
      {
        statusCode: 404,
        code: "JOB_UNKNOWN",
        error: "Not Found",
        message: 'no job "primes-below-7" is live, or has settled not long ago',
      },
    ]);
  });
});

describe("a stream", () => {
  it("tells of progress that never falls, then how the job ended, and ends", async () => {
    const service = await startService();
    const response = await service.post("/run", { below: 1_000_000 });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = await allEvents(response);
    const settled = events.pop();
    expect(settled).toMatchObject({ event: "settled", data: { state: "completed", primes: 78_498 } });
    const counts = events.map(completedOf);
    expect(counts.length).toBeGreaterThan(0);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(events.every(({ event }) => event === "progress")).toBe(true);
  });

  it("tells one who comes late how the job has ended", async () => {
    const service = await startService();
    await allEvents(await service.post("/run", { below: 100 }));
    const events = await allEvents(await service.get("/jobs/primes-below-100/events"));
    expect(events).toEqual([{ event: "settled", id: "last", data: HUNDRED }]);
  });

  it("sends one who comes back after the end away, for good", async () => {
    const service = await startService();
    const [last] = (await allEvents(await service.post("/run", { below: 100 }))).slice(-1);
    const headers = { "last-event-id": last!.id! };
    expect((await service.get("/jobs/primes-below-100/events", { headers })).status).toBe(204);
  });

  it("takes one in again who comes back before the end, or for the next job of that id", async () => {
    const service = await startService();
    const headers = { "last-event-id": "last" };
    await service.post("/jobs", { below: LONG });
    const events = readEvents(await service.get(`/jobs/${LONG_ID}/events`, { headers }));
    expect((await events.next()).value).toMatchObject({ event: "progress" });
    await events.return(undefined);
  });

  it("is kept alive by comments", async () => {
    const service = await startService({ heartbeatMs: 1, progressMs: 1_000_000 });
    const beats: string[] = [];
    for await (const block of readBlocks(await service.post("/run", { below: LONG }))) {
      if (block === ":") beats.push(block);
      if (beats.length === 3) break;
    }
    expect(beats).toEqual([":", ":", ":"]);
  });

  it("is not opened by HEAD", async () => {
    const service = await startService();
    await service.post("/jobs", { below: LONG });
    expect((await service.get(`/jobs/${LONG_ID}/events`, { method: "HEAD" })).status).toBe(404);
    expect((await service.get(`/jobs/${LONG_ID}`, { method: "HEAD" })).status).toBe(200);
  });
});

describe("a cancel", () => {
  it("ends the job for all who wait for it", async () => {
    const service = await startService();
    await service.post("/jobs", { below: LONG });
    const watchers = [await service.post("/run", { below: LONG }), await service.get(`/jobs/${LONG_ID}/events`)];
    const cancelled = { id: LONG_ID, below: LONG, state: "cancelled", error: { message: "cancelled on request" } };
    const answer = await service.delete(`/jobs/${LONG_ID}`);
    expect([answer.status, await answer.json()]).toEqual([200, cancelled]);
    for (const watcher of watchers) {
      expect((await allEvents(watcher)).at(-1)).toEqual({ event: "settled", id: "last", data: cancelled });
    }
    expect(await (await service.get(`/jobs/${LONG_ID}`)).json()).toEqual(cancelled);
  });

  it("that comes too late says what the job came to", async () => {
    const service = await startService();
    await allEvents(await service.post("/run", { below: 100 }));
    const answer = await service.delete("/jobs/primes-below-100");
    expect([answer.status, await answer.json()]).toEqual([200, HUNDRED]);
  });

  it("leaves room for the same job once more", async () => {
    const service = await startService();
    await service.post("/jobs", { below: LONG });
    await service.delete(`/jobs/${LONG_ID}`);
    expect((await service.post("/jobs", { below: LONG })).status).toBe(202);
    expect(await (await service.get(`/jobs/${LONG_ID}`)).json()).toMatchObject({
      state: expect.toBeOneOf(LIVE) as unknown,
    });
  });
});

describe("a client that goes away", () => {
  it("takes with it the job that it was running", async () => {
    const service = await startService();
    const settled = new Promise<JobEnd>((resolve) => {
      service.engine.once("job", () => void endOf(observed(service)).then(resolve));
    });
    await leaveMidStream(service, "/run", { below: LONG });
    expect(await settled).toMatchObject({ state: "cancelled", error: { message: "the client has gone" } });
    await service.engine.drain();
    expect(await (await service.get(`/jobs/${LONG_ID}`)).json()).toMatchObject({
      state: "cancelled",
      error: { message: "the client has gone" },
    });
  });

  it("leaves the job to those who still watch it; it ends with the last of them", async () => {
    const service = await startService();
    const first = new AbortController();
    const last = new AbortController();
    const firstClosed = service.nextClosed("/run");
    const runner = readEvents(await service.post("/run", { below: LONG }, first.signal));
    const watcher = readEvents(await service.get(`/jobs/${LONG_ID}/events`, { signal: last.signal }));
    const before = (await watcher.next()).value as ServerEvent;
    const settled = endOf(observed(service));

    await runner.next();
    first.abort();
    await firstClosed;
    expect(LIVE).toContain(observed(service).state);
    // It does not only count as live: it gets on.
    for await (const event of { [Symbol.asyncIterator]: () => watcher }) {
      expect(event.event).toBe("progress");
      if (completedOf(event) > completedOf(before)) break;
    }
    last.abort();
    expect(await settled).toMatchObject({ state: "cancelled" });
  });

  it("takes all its jobs with it, also those whose streams wait behind another one on its connection", async () => {
    const service = await startService({ heartbeatMs: 1 });
    const socket = connect(Number(new URL(service.address).port), "127.0.0.1");
    for (const below of [LONG, LONG - 1]) {
      const body = JSON.stringify({ below });
      const headers = `host: test\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
      socket.write(`POST /run HTTP/1.1\r\n${headers}\r\n\r\n${body}`);
    }
    const ends: unknown[] = [];
    const bothStarted = new Promise<void>((resolve) => {
      let started = 0;
      service.engine.on("job", ({ type, state }) => {
        if (type === "submitted" && ++started === 2) resolve();
        if (type === "settled") ends.push(state);
      });
    });
    await bothStarted;
    socket.destroy();
    await service.engine.drain();
    expect(ends).toEqual(["cancelled", "cancelled"]);
    expect((await service.get(`/jobs/${LONG_ID}`)).status).toBe(200);
  });

  it("leaves no listener behind", async () => {
    const service = await startService();
    await service.post("/jobs", { below: LONG });
    for (let visit = 0; visit < 3; visit++) await leaveMidStream(service, `/jobs/${LONG_ID}/events`);
    expect(observed(service).listenerCount("progress")).toBe(0);
  });
});

describe("a service that cannot take a job", () => {
  it("is full: 503, and when to come again; whoever asks for what runs already is let in", async () => {
    const service = await startService({ maxJobs: 1 });
    await service.post("/jobs", { below: LONG });
    for (const path of ["/jobs", "/run"]) {
      const response = await service.post(path, { below: 100 });
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
      expect(await response.json()).toMatchObject({ code: "QUEUE_FULL" });
    }
    expect((await service.post("/jobs", { below: LONG })).status).toBe(202);
  });

  it("is closing: 503; what runs is still told of", async () => {
    const service = await startService();
    await service.post("/jobs", { below: LONG });
    const closed = service.engine.close();
    const response = await service.post("/jobs", { below: 100 });
    expect([response.status, await response.json()]).toEqual([503, expect.objectContaining({ code: "ENGINE_CLOSED" })]);
    expect((await service.get(`/jobs/${LONG_ID}`)).status).toBe(200);
    const watching = readEvents(await service.get(`/jobs/${LONG_ID}/events`));
    expect((await watching.next()).value).toMatchObject({ event: "progress" });
    await service.delete(`/jobs/${LONG_ID}`);
    const last: unknown[] = [];
    for await (const { event } of { [Symbol.asyncIterator]: () => watching }) last.push(event);
    expect(last.at(-1)).toBe("settled");
    await closed;
  });

  it("has the id in use for something else: 409", async () => {
    const service = await startService();
    // An engine may be shared with other parts of an application.
    const other = task<(item: number) => number>(new URL("../../dist/05-http/work.js", import.meta.url), "other");
    const job = service.engine.run(other, waiting(), { id: "primes-below-100" });
    const response = await service.post("/jobs", { below: 100 });
    expect([response.status, await response.json()]).toEqual([
      409,
      expect.objectContaining({ code: "JOB_ID_CONFLICT" }),
    ]);
    job.cancel();
  });
});

/** The handle of the long job for those who only look. */
function observed({ engine }: Service): JobHandle<unknown> {
  const job = engine.job(LONG_ID);
  if (job === undefined || !("progress" in job)) throw new Error("the job is not live");
  return job;
}

type JobEnd = Parameters<JobEvents["settle"]>[0];

function endOf(handle: JobHandle<unknown>): Promise<JobEnd> {
  return new Promise((resolve) => handle.once("settle", resolve));
}

/** Reads one event, and goes. Resolves when the server knows. */
async function leaveMidStream(service: Service, path: string, body?: unknown): Promise<void> {
  const leaving = new AbortController();
  const closed = service.nextClosed(path);
  const { signal } = leaving;
  const response = await (body === undefined ? service.get(path, { signal }) : service.post(path, body, signal));
  await readEvents(response).next();
  leaving.abort();
  await closed;
}

function completedOf({ data }: ServerEvent): number {
  return (data["progress"] as { completed: number }).completed;
}

/** A source that gives nothing. */
async function* waiting(): AsyncGenerator<number> {
  await new Promise(() => undefined);
  yield 0;
}
