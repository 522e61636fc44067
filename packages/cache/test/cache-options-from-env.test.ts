import { describe, expect, it } from "vitest";
import { cacheOptionsFromEnv } from "../src/cache-options-from-env.js";
import { ResultCache } from "../src/result-cache.js";

describe("the options of the environment", () => {
  it("are what it names, in the units of the options", () => {
    const options = cacheOptionsFromEnv({
      THREADMILL_CACHE_MAX_SIZE: "500",
      THREADMILL_CACHE_MAX_MEMORY_MB: " 1.5 ",
      THREADMILL_CACHE_TTL_SECONDS: "0.25",
      THREADMILL_CACHE_DISABLED: "Yes",
      PATH: "/bin",
    });
    expect(options).toEqual({ maxEntries: 500, maxBytes: 1.5 * 1024 * 1024, ttlMs: 250, enabled: false });
    expect(new ResultCache(options).stats).toMatchObject({ maxEntries: 500, maxBytes: 1_572_864 });
  });

  it("are none where it says nothing, so that those of the program hold", () => {
    expect(cacheOptionsFromEnv({ THREADMILL_CACHE_MAX_SIZE: "", THREADMILL_CACHE_TTL_SECONDS: undefined })).toEqual({});
    const options = { maxEntries: 7, ...cacheOptionsFromEnv({}) };
    expect(new ResultCache(options).stats.maxEntries).toBe(7);
  });

  it.each(["0", "false", "NO", "off"])("are not disabled by %s", (text) => {
    expect(cacheOptionsFromEnv({ THREADMILL_CACHE_DISABLED: text })).toEqual({ enabled: true });
  });

  it.each([
    ["THREADMILL_CACHE_MAX_SIZE", "0"],
    ["THREADMILL_CACHE_MAX_SIZE", "1.5"],
    ["THREADMILL_CACHE_MAX_SIZE", "many"],
    ["THREADMILL_CACHE_MAX_SIZE", "-5"],
    ["THREADMILL_CACHE_MAX_SIZE", "0x10"],
    ["THREADMILL_CACHE_MAX_SIZE", "99999999999999999999"],
    ["THREADMILL_CACHE_MAX_MEMORY_MB", "64MB"],
    ["THREADMILL_CACHE_MAX_MEMORY_MB", "0"],
    ["THREADMILL_CACHE_TTL_SECONDS", "Infinity"],
    ["THREADMILL_CACHE_TTL_SECONDS", "1e3"],
    ["THREADMILL_CACHE_DISABLED", "maybe"],
  ])("are refused with a name, a value and what would be right: %s=%s", (name, text) => {
    const act = (): unknown => cacheOptionsFromEnv({ [name]: text });
    expect(act).toThrow(expect.objectContaining({ name: "InvalidArgumentError", code: "INVALID_ARGUMENT" }) as Error);
    expect(act).toThrow(`${name} is ${JSON.stringify(text)}, but must be `);
  });

  it("are refused for all that is wrong at once", () => {
    const act = (): unknown => cacheOptionsFromEnv({ THREADMILL_CACHE_MAX_SIZE: "x", THREADMILL_CACHE_DISABLED: "x" });
    expect(act).toThrow(/THREADMILL_CACHE_MAX_SIZE.*THREADMILL_CACHE_DISABLED/);
  });
});
