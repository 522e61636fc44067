/** The built program as a process of its own: what it prints, how it exits, and what it leaves behind when it is killed. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createEngine } from "@threadmill/engine";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { planSample } from "../dist/album/plan.js";
import { ensureSampleAlbum } from "../dist/album/sample-album.js";
import { floatTensor, node, onnxModel, signature } from "@threadmill/onnx-graph";
import { describedContents, publishedIndex, query } from "./helpers/published-index.js";
import { runCli, startCli } from "./helpers/run-cli.js";
import { tempFolder } from "./helpers/temp-folder.js";
import { containing, matching } from "./helpers/text.js";

const folder = tempFolder();
/** An album of 60 pictures, drawn once: large enough to be caught in the middle of. */
let album = "";

beforeAll(async () => {
  album = join(realpathSync(mkdtempSync(join(tmpdir(), "photo-indexer-album-"))), "album");
  const engine = createEngine({ threads: 2 });
  await ensureSampleAlbum({
    engine,
    folder: album,
    plan: planSample({ plates: 50 }),
    signal: new AbortController().signal,
  });
  await engine.close();
});
afterAll(() => {
  rmSync(join(album, ".."), { recursive: true, force: true });
});

const index = (...words: string[]) => ["index", album, "--out", folder.path("index"), ...words];

/** Publishes an index of the album with one photo, so that there is something to keep. */
async function publishOnePhoto(): Promise<void> {
  mkdirSync(folder.path("index"));
  cpSync(join(album, "cat.jpg"), folder.path("album/cat.jpg"));
  const { code, stderr } = await runCli(folder.path(), "album", "--out", "index");
  expect({ code, stderr }).toMatchObject({ code: 0 });
  cpSync(album, folder.path("album"), { recursive: true });
}
const indexAll = ["album", "--out", "index"];

/** Waits until the run has stored this many contents: a condition, looked at now and then. */
async function untilDescribed(count: number): Promise<void> {
  while (describedContents(folder.path("index")) < count) await delay(5);
}

describe("the command line", () => {
  it("prints a summary with the broken files by name, and exits with 0", async () => {
    const { code, stdout, stderr } = await runCli(folder.path(), ...index());
    expect({ code, stderr: stderr.includes("Error") }).toEqual({ code: 0, stderr: false });
    expect(stdout).toContain(`Indexed ${album}`);
    expect(stdout).toContain("Broken/half of 1.jpg");
    expect(stdout).toContain(folder.path("index/contact-sheet.html"));
    expect(stderr).toContain("Indexing:");
    const html = readFileSync(folder.path("index/contact-sheet.html"), "utf8");
    expect(html).toContain("Tom &amp; Ana&#39;s picnic #1 100%.jpg");
    expect(html).not.toContain("Tom & Ana");
  });

  it("prints one JSON object, and nothing else, when asked to", async () => {
    const { code, stdout } = await runCli(folder.path(), ...index("--json", "--quiet"));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: "completed", album, photos: expect.any(Number) as number });
    expect(stdout.trim()).not.toContain("\n");
  });

  it("works on the main thread alone with --threads 0", async () => {
    const { code, stdout } = await runCli(folder.path(), ...index("--json", "--quiet", "--threads", "0"));
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({ code: 0, status: "completed" });
  });

  it("keeps ONNX Runtime from reporting its use: it leaves no id and no reports in the home folder", async () => {
    mkdirSync(folder.path("home"));
    for (const name of ["HOME", "USERPROFILE"]) vi.stubEnv(name, folder.path("home"));
    // Where one of these is set, ONNX Runtime is silent by itself.
    for (const name of ["CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"]) vi.stubEnv(name, undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await runCli(folder.path(), ...index("-q"))).code).toBe(0);
    expect(readdirSync(folder.path("home"))).toEqual([]);
  });

  it("names what is wrong with the folder, the model or the words, with an exit code", async () => {
    const said = async (...words: string[]) => {
      const { code, stderr } = await runCli(folder.path(), ...words);
      return { code, stderr };
    };
    expect(await said("nowhere")).toEqual({
      code: 1,
      stderr: "Error: there is no folder nowhere (FOLDER_NOT_FOUND)\n",
    });
    expect(await said("--frobnicate")).toMatchObject({
      code: 2,
      stderr: containing("--frobnicate"),
    });
    folder.write("no-model.onnx", "this is no model");
    expect(await said(...index("--model", "no-model.onnx"))).toMatchObject({
      code: 1,
      stderr: matching(/no-model\.onnx is not an ONNX model.*MODEL_UNUSABLE/),
    });
    const { code, stdout } = await runCli(folder.path(), "nowhere", "--json");
    expect({ code, outcome: JSON.parse(stdout) as unknown }).toMatchObject({
      code: 1,
      outcome: { status: "failed", error: { code: "FOLDER_NOT_FOUND" } },
    });
    // The index folder of a run that was refused does not exist.
    expect(existsSync(folder.path("index"))).toBe(false);
  });

  it("finds photos of the index by their labels and paths, and says where there is no index", async () => {
    await publishOnePhoto();
    const found = await runCli(folder.path(), "search", "album", "cat.jpg", "--out", "index");
    expect(found).toMatchObject({ code: 0, stdout: matching(/^cat\.jpg {2}.*\n1 photo\n$/), stderr: "" });
    const { stdout } = await runCli(folder.path(), "search", "album", "no such word", "--out", "index", "--json");
    expect(JSON.parse(stdout)).toEqual({ status: "found", photos: [] });
    const missing = await runCli(folder.path(), "search", "album", "cat", "--out", "elsewhere");
    expect(missing).toMatchObject({ code: 1, stderr: containing("INDEX_MISSING") });
  });

  it("says where the caches lie and how to clear them, and refuses limits that make no sense", async () => {
    expect((await runCli(folder.path(), "--help")).stdout).toContain("Delete\n  labels.cache");
    vi.stubEnv("THREADMILL_CACHE_MAX_SIZE", "lots");
    onTestFinished(() => void vi.unstubAllEnvs());
    const { code, stderr } = await runCli(folder.path(), ...index());
    expect({ code, stderr }).toEqual({ code: 2, stderr: matching(/THREADMILL_CACHE_MAX_SIZE is "lots".*USAGE/) });
    expect(existsSync(folder.path("index"))).toBe(false);
  });

  it("lets one run at a time work on an index", async () => {
    await publishOnePhoto();
    const first = startCli(folder.path(), ...indexAll);
    await first.shows("Indexing:");
    const second = await runCli(folder.path(), ...indexAll);
    expect(second).toMatchObject({ code: 1, stderr: containing("INDEX_BUSY") });
    expect((await first.end).code).toBe(0);
  });

  it("writes the built-in model to a file, which can then be given back to it", async () => {
    expect((await runCli(folder.path(), "model", "own.onnx")).code).toBe(0);
    const { code, stdout } = await runCli(
      folder.path(),
      ...index("--json", "-q", "-m", "own.onnx", "--model-size", "64", "--near", "0.99"),
    );
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({ code: 0, model: "own.onnx" });
  });
});

describe.skipIf(process.platform === "win32")("a run that is interrupted", () => {
  it("stops with exit code 130, says what was kept, and leaves the published index as it was", async () => {
    await publishOnePhoto();
    const published = publishedIndex(folder.path("index"));
    const run = startCli(folder.path(), ...indexAll);
    await untilDescribed(12);
    run.kill("SIGINT");
    expect(await run.end).toMatchObject({
      code: 130,
      signal: null,
      stderr: containing("what was finished is kept"),
    });
    expect(publishedIndex(folder.path("index"))).toEqual(published);
  });

  it("goes on where it stopped: what was described is not described again", async () => {
    await publishOnePhoto();
    const run = startCli(folder.path(), ...indexAll);
    await untilDescribed(12);
    run.kill("SIGTERM");
    expect((await run.end).code).toBe(143);
    const kept = describedContents(folder.path("index"));
    expect(kept).toBeGreaterThanOrEqual(12);
    const { stdout } = await runCli(folder.path(), ...indexAll, "--json");
    const report = JSON.parse(stdout) as {
      distinctContents: number;
      counts: { described: number };
      broken: { code: string }[];
    };
    const brokenContents = query<{ count: number }>(
      folder.path("index"),
      "SELECT count(*) AS count FROM descriptions WHERE fault_code IS NOT NULL",
    );
    expect(report.counts.described).toBeLessThanOrEqual(
      report.distinctContents + (brokenContents[0]?.count ?? 0) - kept,
    );
  });

  it("ends by the signal itself when it comes twice, without an abort", async () => {
    await publishOnePhoto();
    const published = publishedIndex(folder.path("index"));
    const run = startCli(folder.path(), ...indexAll);
    await untilDescribed(6);
    run.kill("SIGINT");
    await run.shows("Stopping");
    run.kill("SIGINT");
    const { code, signal } = await run.end;
    // Ended by the second signal, or, if that came too late to matter, in the orderly way.
    expect([`${code} ${signal}`]).toEqual([matching(/^(null SIGINT|130 null)$/)]);
    expect(publishedIndex(folder.path("index"))).toEqual(published);
  });

  it("in the middle of an inference that takes far longer ends all the same, and without an abort", async () => {
    await publishOnePhoto();
    const published = publishedIndex(folder.path("index"));
    folder.write("slow.onnx", slowModel());
    const run = startCli(folder.path(), ...indexAll, "--model", "slow.onnx", "--model-size", "512");
    await run.shows("Indexing:");
    // The first batch is at the model when the next photos have been shrunk.
    while (readdirSync(folder.path("index/thumbs")).length < 12) await delay(5);
    run.kill("SIGINT");
    const { code, signal } = await run.end;
    // A thread that is in native code cannot be ended; so the process ends by the signal, which a shell shows as 130 too.
    expect(`${code} ${signal}`).toMatch(/^(130 null|null SIGINT)$/);
    expect(publishedIndex(folder.path("index"))).toEqual(published);
  });

  it("and killed leaves the published index as it was, and its finished work to the next run", async () => {
    await publishOnePhoto();
    const published = publishedIndex(folder.path("index"));
    for (const more of [8, 16, 24]) {
      const run = startCli(folder.path(), ...indexAll);
      await untilDescribed(more);
      run.kill("SIGKILL");
      expect(await run.end).toMatchObject({ code: null, signal: "SIGKILL" });
      expect(publishedIndex(folder.path("index"))).toEqual(published);
      expect(query(folder.path("index"), "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
      expect(describedContents(folder.path("index"))).toBeGreaterThanOrEqual(more);
    }
    const { code, stdout } = await runCli(folder.path(), ...indexAll, "--json");
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({ code: 0, status: "completed" });
    expect(publishedIndex(folder.path("index"))).not.toEqual(published);
  });
});

/** A model that takes many seconds for one picture: 60 wide convolutions, one after the other. */
function slowModel(): Uint8Array {
  const channels = 32;
  const first = floatTensor("first", [channels, 3, 7, 7], new Float32Array(channels * 3 * 49).fill(0.01));
  const again = floatTensor(
    "again",
    [channels, channels, 7, 7],
    new Float32Array(channels * channels * 49).fill(0.001),
  );
  const sameSize = { pads: { ints: [3, 3, 3, 3] } };
  const nodes = [
    node("Cast", ["pixels"], ["floats"], { to: { int: 1 } }),
    node("Transpose", ["floats"], ["planes"], { perm: { ints: [0, 3, 1, 2] } }),
    node("Conv", ["planes", "first"], ["layer0"], sameSize),
  ];
  for (let i = 0; i < 60; i++) nodes.push(node("Conv", [`layer${i}`, "again"], [`layer${i + 1}`], sameSize));
  nodes.push(node("GlobalAveragePool", ["layer60"], ["means"]), node("Flatten", ["means"], ["embedding"]));
  const inputs = [signature("pixels", "uint8", ["batch", 512, 512, 3])];
  const outputs = [signature("embedding", "float32", ["batch", channels])];
  return onnxModel(
    { name: "slow", doc: "for a test", producer: "test", nodes, constants: [first, again], inputs, outputs },
    17,
  );
}

describe("without a folder", () => {
  it("draws the sample album and finds all that was planted in it; the second time it opens nothing", async () => {
    const first = await runCli(folder.path(), "--json", "-q");
    const report = JSON.parse(first.stdout) as { photos: number; sample: unknown };
    const all = { missed: [], wrong: [] };
    expect(report).toMatchObject({ status: "completed", sample: { exact: all, near: all, broken: all } });
    const second = await runCli(folder.path(), "--json", "-q");
    expect(JSON.parse(second.stdout)).toMatchObject({
      counts: { unchanged: report.photos, described: 0, recognised: 0 },
    });
  }, 120_000);
});
