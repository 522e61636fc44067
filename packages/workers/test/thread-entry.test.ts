import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const entry = createRequire(import.meta.url).resolve("@threadmill/workers/thread-entry");

// Where the end of the process meets the `require` of an ES module in one of its threads, Node aborts: in one of some
// hundred threads that end while they start, too seldom for a test.
it("the entry of a thread is required without the require of an ES module", async () => {
  const program = `console.log(typeof require(${JSON.stringify(entry)}))`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--no-experimental-require-module",
    "--eval",
    program,
  ]);
  expect(stdout.trim()).toBe("function");
});
