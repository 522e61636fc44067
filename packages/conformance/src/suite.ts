/** One suite for every runner: what the design promises to users, behaviour by behaviour. */
import { type RunnerTask, afterAll, beforeEach, describe, expect } from "vitest";
import { badInputSuite } from "./suite/bad-input.js";
import { batchHandlersSuite } from "./suite/batch-handlers.js";
import { cancelSuite } from "./suite/cancel.js";
import { closingSuite } from "./suite/closing.js";
import { columnsSuite } from "./suite/columns.js";
import { contextsSuite } from "./suite/contexts.js";
import { eventsSuite } from "./suite/events.js";
import { failuresSuite } from "./suite/failures.js";
import { identitySuite } from "./suite/identity.js";
import { itemCacheDoublesSuite } from "./suite/item-cache-doubles.js";
import { itemCacheEdgesSuite } from "./suite/item-cache-edges.js";
import { itemCacheSuite } from "./suite/item-cache.js";
import { pausingSuite } from "./suite/pausing.js";
import { pipelinesSuite } from "./suite/pipelines.js";
import { processSuite } from "./suite/process.js";
import { readingSuite } from "./suite/reading.js";
import { setupsSuite } from "./suite/setups.js";
import { sharingSuite } from "./suite/sharing.js";
import { streamingSuite } from "./suite/streaming.js";
import { threadsSuite } from "./suite/threads.js";
import { timeoutsSuite } from "./suite/timeouts.js";
import { valuesSuite } from "./suite/values.js";
import type { Subject } from "./subject.js";

const suites = [
  valuesSuite,
  readingSuite,
  streamingSuite,
  pipelinesSuite,
  failuresSuite,
  timeoutsSuite,
  batchHandlersSuite,
  columnsSuite,
  setupsSuite,
  contextsSuite,
  identitySuite,
  itemCacheSuite,
  itemCacheEdgesSuite,
  itemCacheDoublesSuite,
  cancelSuite,
  pausingSuite,
  eventsSuite,
  sharingSuite,
  threadsSuite,
  badInputSuite,
  closingSuite,
  processSuite,
] as const;

/** Runs the suite against what `subject` makes. */
export function testEngine(name: string, subject: Subject): void {
  // oxlint-disable-next-line vitest/valid-title -- the caller names what it tests
  describe(name, () => {
    skipSome(name, subject.skips ?? {});
    for (const suite of suites) suite(subject);
  });
}

/** Skips tests, or all of a `describe`, with their reason, and sees to it that there is such a test for each of the names. */
function skipSome(name: string, skips: Readonly<Record<string, string>>): void {
  const known = new Set<string>();
  /** All tests of the suite by their full names, also those that a filter leaves out. */
  const visit = (tasks: readonly RunnerTask[], prefix: string): void => {
    for (const task of tasks) {
      const fullName = `${prefix}${task.name}`;
      known.add(fullName);
      if (task.type === "suite") visit(task.tasks, `${fullName} > `);
    }
  };
  beforeEach(({ task, skip }) => {
    const names = [task.name];
    let { suite } = task;
    for (; suite !== undefined && suite.name !== name; { suite } = suite) names.unshift(suite.name);
    if (known.size === 0 && suite !== undefined) visit(suite.tasks, "");
    for (let depth = 1; depth <= names.length; depth++) {
      const reason = skips[names.slice(0, depth).join(" > ")];
      if (reason !== undefined) skip(reason);
    }
  });
  afterAll(() => {
    const unknown = Object.keys(skips).filter((one) => !known.has(one));
    expect(known.size === 0 ? [] : unknown, "skipped, but there is no such test").toEqual([]);
  });
}
