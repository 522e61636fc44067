/** Section 8, leaving the process: with sharp's native code at work in the threads, nothing is torn from under it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { program } from "../src/program.js";

/** Large enough that a thread is at work on it most of the time. */
const SIDE = 1_500;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "threadmill-native-"));
  await writeFile(join(folder, "noise.png"), noise(SIDE));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Starts thumbnails in two threads; what follows happens when the first are done, and the next under way. */
async function thumbnails(count: number, then: string): ReturnType<typeof program> {
  const url = import.meta.resolve("@threadmill/workers/thumbnail");
  return program(
    { threads: 2 },
    `
    import { task } from ${JSON.stringify(import.meta.resolve("@threadmill/engine"))};
    const photos = Array(${count}).fill(${JSON.stringify(join(folder, "noise.png"))});
    const job = engine.run(task(new URL(${JSON.stringify(url)})), photos, { batchSize: 1 });
    job.on("settle", ({ state, error }) => console.log(state, state === "failed" ? error : ""));
    await new Promise((resolve) => job.once("batch", resolve));
    ${then}`,
  );
}

describe("a process with native code at work in its threads", () => {
  test("ends with the code that process.exit asks for", async () => {
    expect(await thumbnails(1_000, "process.exit(7);")).toMatchObject({ code: 7, signal: null, output: "" });
  });

  test("ends by itself when the work is done, though the engine is open", async () => {
    expect(await thumbnails(6, "")).toMatchObject({ code: 0, signal: null, output: "completed" });
  });

  test("ends after a close without patience, which leaves no thread behind", async () => {
    const ended = await thumbnails(
      1_000,
      "const report = await engine.close({ deadlineMs: 0 }); console.log(report.leftBehind);",
    );
    expect(ended).toMatchObject({ code: 0, signal: null, output: "cancelled \n[]" });
  });

  test("survives a hundred cancels, with the threads that it began with", async () => {
    const ended = await thumbnails(
      1_000,
      `
      job.cancel();
      for (let round = 0; round < 100; round++) {
        const next = engine.run(task(new URL(${JSON.stringify(
          import.meta.resolve("@threadmill/workers/thumbnail"),
        )})), photos, { batchSize: 1 });
        await new Promise((resolve) => next.once("start", resolve));
        next.cancel();
        await next.stopped;
      }
      const { threadsStarted, threadsLost, threadsStuck } = engine.stats();
      console.log(threadsStarted, threadsLost, threadsStuck);`,
    );
    expect(ended).toMatchObject({ code: 0, signal: null, output: "cancelled \n2 0 0" });
  });
});

/** A PNG of pixels that follow no pattern. */
function noise(side: number): Buffer {
  const rows = Buffer.alloc(side * (1 + 3 * side));
  for (let at = 0, state = 1; at < rows.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    rows[at] = at % (1 + 3 * side) === 0 ? 0 : state >>> 24;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows, { level: 0 })), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
