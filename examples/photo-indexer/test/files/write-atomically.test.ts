import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { prepareFile, writeAtomically } from "../../src/files/write-atomically.js";
import { tempFolder } from "../helpers/temp-folder.js";

const folder = tempFolder();

describe("prepareFile", () => {
  it("changes nothing before the commit, and everything at once with it", async () => {
    const path = folder.write("page.html", "old");
    const prepared = await prepareFile(path, ["new", Buffer.from(" page")]);
    expect(readFileSync(path, "utf8")).toBe("old");
    await prepared.commit();
    expect(readFileSync(path, "utf8")).toBe("new page");
    expect(readdirSync(folder.path())).toEqual(["page.html"]);
  });

  it("leaves nothing behind when it is discarded, cancelled, or its content fails", async () => {
    const path = folder.write("page.html", "old");
    await (await prepareFile(path, ["new"])).discard();
    await expect(prepareFile(path, ["new"], AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    const failing = function* (): Generator<string> {
      yield "half";
      throw new Error("no more");
    };
    await expect(prepareFile(path, failing())).rejects.toThrow("no more");
    expect(readdirSync(folder.path())).toEqual(["page.html"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  it("makes the folder that it needs", async () => {
    await writeAtomically(folder.path("a/b/c.txt"), "x");
    expect(readFileSync(folder.path("a/b/c.txt"), "utf8")).toBe("x");
  });
});
