import { describe, expect, it } from "vitest";
import { SettledJobs } from "../../src/jobs/settled-jobs.js";

const stats = { items: 0, completed: 0, failed: 0, fromCache: 0, retries: 0, batches: 0, elapsedMs: 0, threadMs: 0 };
const record = (id: string) => ({ id, state: "failed" as const, error: new Error(id), stats });

describe("the memory of settled jobs", () => {
  it("knows the last 256, and nothing of older ones", () => {
    const jobs = new SettledJobs();
    for (let count = 0; count < 300; count++) jobs.add(String(count), record(String(count)));
    expect(jobs.get("43")).toBeUndefined();
    expect(jobs.get("44")?.id).toBe("44");
    expect(jobs.get("299")?.id).toBe("299");
  });

  it("knows the newest end of an id, which counts as new", () => {
    const jobs = new SettledJobs();
    jobs.add("again", record("first"));
    for (let count = 0; count < 200; count++) jobs.add(String(count), record(String(count)));
    jobs.add("again", record("second"));
    for (let count = 200; count < 400; count++) jobs.add(String(count), record(String(count)));
    expect(jobs.get("again")?.id).toBe("second");
  });
});
