/** The same, for as long as you like: `searchSnapshot({ seed, runs, budgetMs })`. */
import { describe, expect, it } from "vitest";
import { searchSnapshot } from "../src/snapshot-model/index.js";

describe("a snapshot", () => {
  it("is what its model says, whatever happens in whatever order", async () => {
    expect(await searchSnapshot({ seed: 1, runs: 300 })).toEqual({ runs: 300, failure: undefined });
  });
});
