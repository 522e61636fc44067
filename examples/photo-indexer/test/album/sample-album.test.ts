/** On the built code: threads load compiled task modules. */
import { readdirSync, readFileSync } from "node:fs";
import { createEngine, type Engine } from "@threadmill/engine";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planSample } from "../../dist/album/plan.js";
import { ensureSampleAlbum, type SampleAlbum } from "../../dist/album/sample-album.js";
import { tempFolder } from "../helpers/temp-folder.js";

const folder = tempFolder();
const plan = planSample({ plates: 3, scale: 0.1 });
let engine: Engine;
beforeAll(() => {
  engine = createEngine({ threads: 1 });
});
afterAll(async () => {
  await engine.close();
});

async function draw(seed?: number): Promise<SampleAlbum> {
  const wanted = seed === undefined ? plan : { ...plan, seed };
  return await ensureSampleAlbum({
    engine,
    folder: folder.path("album"),
    plan: wanted,
    signal: new AbortController().signal,
  });
}

describe("the sample album", () => {
  it("is drawn once, also by two at the same time", async () => {
    const both = await Promise.all([draw(), draw()]);
    expect(both.filter(({ drawn }) => drawn)).toHaveLength(1);
    expect((await draw()).drawn).toBe(false);
    expect(readdirSync(folder.path())).toEqual(["album"]);
  });

  it("removes nothing that was there: neither beside it, nor in its place, nor from an album of another version", async () => {
    folder.write("album.drawing/mine.txt", "mine");
    await draw();
    folder.write("album/mine.txt", "mine");
    await expect(draw(1)).rejects.toMatchObject({ code: "SAMPLE_IN_THE_WAY" });
    for (const name of ["album.drawing/mine.txt", "album/mine.txt"])
      expect(readFileSync(folder.path(name), "utf8")).toBe("mine");
  });

  it("is refused a folder that holds something else", async () => {
    folder.write("album/mine.txt", "mine");
    await expect(draw()).rejects.toMatchObject({ code: "SAMPLE_IN_THE_WAY" });
    expect(readdirSync(folder.path("album"))).toEqual(["mine.txt"]);
  });
});
