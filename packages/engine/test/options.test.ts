import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { type RunOptions, resolveEngineOptions, resolveRunOptions } from "../src/options.js";

const refusal = (message: RegExp): object =>
  expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringMatching(message) as string }) as object;

describe("the options of an engine", () => {
  it("have defaults", () => {
    expect(resolveEngineOptions()).toEqual({
      threads: availableParallelism(),
      batchMs: 10,
      maxBatchItems: 4_096,
      maxJobs: 100_000,
      graceMs: 1_000,
      progressMs: 100,
      results: {},
      keepWarm: 8,
    });
  });

  it("are kept where they are given, and defaults where they are undefined", () => {
    const given = {
      threads: 0,
      batchMs: 0.5,
      results: { maxEntries: 1 },
      env: { A: "b" },
      execArgv: ["--no-warnings"],
    };
    const missing: Record<string, undefined> = { graceMs: undefined };
    expect(resolveEngineOptions({ ...given, ...missing })).toMatchObject({
      ...given,
      graceMs: 1_000,
    });
  });

  it.each<[string, unknown[], RegExp]>([
    ["threads", [-1, 1.5, NaN, "4", 1_025], /threads must be a whole number from 0 to 1024/],
    ["batchMs", [0, -1, NaN, Infinity, 10_001, "10"], /batchMs must be a number above 0/],
    ["maxBatchItems", [0, 1.5, 1_000_001], /maxBatchItems must be a whole number from 1/],
    ["maxJobs", [0, -1, Infinity, 2 ** 53], /maxJobs must be a whole number from 1/],
    ["graceMs", [0, -1, 2 ** 31, Infinity], /graceMs must be a number above 0/],
    ["progressMs", [0, NaN, 2 ** 31], /progressMs must be a number above 0/],
    ["keepWarm", [0, 0.5], /keepWarm must be a whole number from 1/],
    ["results", ["all", 5, true], /results must be an object/],
    ["results", [{ maxEntries: 0 }, { maxBytes: 1.5 }], /results\.max\w+ must be a whole number from 1/],
    ["results", [{ maxEntires: 1 }], /results: unknown option "maxEntires"; known are maxEntries, maxBytes/],
    ["execArgv", ["--no-warnings", [1]], /execArgv must be an array of strings/],
    ["env", ["A=b", 5], /env must be an object/],
    ["resourceLimits", [512, "512"], /resourceLimits must be an object/],
    ["treads", [4], /unknown option "treads"; known are threads, /],
  ])("are refused at once when they are wrong: %s", (name, values, message) => {
    for (const value of values) {
      expect(() => resolveEngineOptions({ [name]: value })).toThrow(refusal(message));
    }
  });

  it.each([null, 4, "four"])("are an object, not %s", (options) => {
    expect(() => resolveEngineOptions(options as never)).toThrow(refusal(/options must be an object/));
  });
});

describe("the options of a run", () => {
  it("have defaults", () => {
    expect(resolveRunOptions({})).toEqual({
      weight: 1,
      stopsAtFailure: true,
      retry: { attempts: 1, backoffMs: 100, maxBackoffMs: 30_000, jitter: 0.2 },
      timeoutMs: 0,
      concurrency: 0,
      batchSize: 0,
      maxInFlight: 0,
    });
  });

  it("become the rules of the job", () => {
    const rules = resolveRunOptions({
      onError: "collect",
      retry: { attempts: 3, jitter: 0 },
      weight: 0.5,
      timeoutMs: 20,
      concurrency: 4,
      batchSize: 9,
      maxInFlight: 100,
    });
    expect(rules).toEqual({
      weight: 0.5,
      stopsAtFailure: false,
      retry: { attempts: 3, backoffMs: 100, maxBackoffMs: 30_000, jitter: 0 },
      timeoutMs: 20,
      concurrency: 4,
      batchSize: 9,
      maxInFlight: 100,
    });
  });

  // Divided by 1e-300, a second is more than all jobs after it can add anything to: fairness ended with it.
  it.each([1e-7, 1e-300, Number.MIN_VALUE])("have no weight that time cannot be divided by: %d", (weight) => {
    expect(resolveRunOptions({ weight }).weight).toBe(1e-6);
  });

  it.each<[string, unknown[], RegExp]>([
    ["id", ["", 5, null, "x".repeat(1_001)], /id must be a string of 1 to 1,000 characters/],
    ["signal", [{}, { aborted: false }, null], /signal must be an AbortSignal/],
    ["onError", ["stop", true, null], /onError must be "fail" or "collect"/],
    ["ordered", [1, "yes", null], /ordered must be true or false/],
    ["collect", [0, "no"], /collect must be true or false/],
    ["fresh", [0], /fresh must be true or false/],
    ["weigh", [5, "size"], /weigh must be a function/],
    ["weigh", [(): number => 1], /weigh and maxInFlightBytes go together/],
    ["maxInFlightBytes", [10], /weigh and maxInFlightBytes go together/],
    ["retry", [3, null, "often"], /retry must be an object/],
    ["retry", [{ attempts: 0 }, { attempts: 1.5 }, { attempts: Infinity }], /retry\.attempts must be a whole number/],
    [
      "retry",
      [{ backoffMs: -1 }, { backoffMs: NaN }, { maxBackoffMs: Infinity }],
      /retry\.\w+ must be a number from 0/,
    ],
    ["retry", [{ jitter: 1.1 }, { jitter: -0.1 }, { jitter: "0" }], /retry\.jitter must be a number from 0 to 1/],
    ["retry", [{ attempt: 3 }], /retry: unknown option "attempt"/],
    ["timeoutMs", [0, -1, Infinity, 2 ** 31, "5"], /timeoutMs must be a number above 0/],
    ["timeoutMs", ["5"], /not '5'$/],
    ["weight", [0, -1, NaN, Infinity], /weight must be a number above 0/],
    ["maxInFlight", [0, 1.5], /maxInFlight must be a whole number from 1/],
    ["concurrency", [0, 1_025], /concurrency must be a whole number from 1 to 1024/],
    ["batchSize", [0, 0.5, -1], /batchSize must be a whole number from 1/],
    ["total", [-1, 1.5], /total must be a whole number from 0/],
    ["timeout", [5], /unknown option "timeout"; known are id, signal, /],
  ])("are refused at once when they are wrong: %s", (name, values, message) => {
    for (const value of values) {
      const options = { [name]: value } as RunOptions<unknown, unknown>;
      expect(() => resolveRunOptions(options)).toThrow(refusal(message));
    }
  });

  it("are refused with a bound on bytes that is none", () => {
    const weigh = (): number => 1;
    for (const maxInFlightBytes of [0, -1, NaN]) {
      expect(() => resolveRunOptions({ weigh, maxInFlightBytes })).toThrow(
        refusal(/maxInFlightBytes must be a number/),
      );
    }
    expect(() => resolveRunOptions({ weigh, maxInFlightBytes: 1 })).not.toThrow();
  });

  it.each([null, 4, "four"])("are an object, not %s", (options) => {
    expect(() => resolveRunOptions(options as never)).toThrow(refusal(/options must be an object/));
  });
});
