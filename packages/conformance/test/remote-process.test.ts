/** A process around a remote client: live jobs hold it, an idle client does not. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { fixtureUrl } from "../src/fixtures/index.js";
import { threadUrl } from "../src/remote/threads.js";

const preamble = `
  import { MessageChannel, Worker } from "node:worker_threads";
  import { createEngine } from ${JSON.stringify(import.meta.resolve("@threadmill/engine"))};
  import { connectEngine, exposeEngine } from ${JSON.stringify(import.meta.resolve("@threadmill/engine/remote"))};
  import { addOne, addOneLater } from ${JSON.stringify(fixtureUrl("index.js").href)};
  process.on("unhandledRejection", (error) => { console.log("UNHANDLED", error); process.exit(99); });
  const engineThread = new URL(${JSON.stringify(threadUrl("engine-thread").href)});
`;

/** What the program prints, until it ends by itself. */
async function output(body: string): Promise<string> {
  const args = ["--input-type=module", "-e", preamble + body];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 25_000 });
  return stdout.trim();
}

const here = `
  const { port1, port2 } = new MessageChannel();
  const engine = createEngine({ threads: 1 });
  exposeEngine(engine, port1);
  const remote = connectEngine(port2);`;
const elsewhere = `const remote = connectEngine(new Worker(engineThread, { execArgv: [], workerData: { threads: 1 } }));`;

describe.each([
  ["in the same thread as its engine", here],
  ["whose engine has a thread of its own", elsewhere],
])("a process with a client %s", (_, connect) => {
  test("ends by itself while the client is idle and connected", async () => {
    expect(await output(connect)).toBe("");
  });

  test("ends by itself when the work of a connected client is done", async () => {
    expect(await output(`${connect} console.log(await remote.map(addOne, [1, 2]));`)).toBe("[ 2, 3 ]");
  });

  test("is held by a job that nobody awaits", async () => {
    const body = `remote.run(addOneLater, Array.from({ length: 500 }, (_, at) => at)).on("settle", ({ state }) => console.log(state));`;
    expect(await output(`${connect} ${body}`)).toBe("completed");
  });

  test("has no unhandled rejection from jobs that fail, or lose their engine, unseen", async () => {
    const body = `
      remote.run({ ...addOne, exportName: "nobody" }, [1]);
      const handle = remote.run(addOneLater, [1]);
      void handle.pause(); handle.resume();
      void remote.cancel("nobody");
      await remote.close();
      remote.run(addOne, [1]);
      console.log("closed");`;
    expect(await output(`${connect} ${body}`)).toBe("closed");
  });
});

describe("a client on the port of its own thread", () => {
  test.each(["before", "after"])("leaves the thread to who listens to that port %s it", async (when) => {
    const listen = `parentPort.on("message", (text) => text === "ping" && parentPort.postMessage("pong"));`;
    const body = `
      const worker = new Worker(\`
        import { parentPort } from "node:worker_threads";
        import { connectEngine } from ${JSON.stringify(import.meta.resolve("@threadmill/engine/remote"))};
        ${when === "before" ? listen : ""}
        connectEngine(parentPort);
        ${when === "after" ? listen : ""}
        parentPort.postMessage("ready");
      \`, { eval: true, execArgv: ["--input-type=module"] });
      exposeEngine(createEngine({ threads: 0 }), worker);
      worker.on("message", (text) => {
        if (text === "ready") setTimeout(() => worker.postMessage("ping"), 50);
        else if (text === "pong") { console.log(text); void worker.terminate(); }
      });`;
    expect(await output(body)).toBe("pong");
  });
});

describe("a thread with nothing but an engine", () => {
  test("lives as long as its client is connected, and then ends by itself", async () => {
    const body = `
      const { port1, port2 } = new MessageChannel();
      const worker = new Worker(\`
        import { workerData } from "node:worker_threads";
        import { createEngine } from ${JSON.stringify(import.meta.resolve("@threadmill/engine"))};
        import { exposeEngine } from ${JSON.stringify(import.meta.resolve("@threadmill/engine/remote"))};
        const engine = createEngine({ threads: 1 });
        const { closed } = exposeEngine(engine, workerData.port);
        await closed;
        await engine.close();
      \`, { eval: true, workerData: { port: port1 }, transferList: [port1], execArgv: ["--input-type=module"] });
      worker.on("exit", (code) => console.log("ended", code));
      const remote = connectEngine(port2);
      console.log(await remote.call(addOne, 1));
      await new Promise((resolve) => setTimeout(resolve, 50));
      console.log(await remote.call(addOne, 2));
      await remote.close();`;
    expect(await output(body)).toBe("2\n3\nended 0");
  });
});
