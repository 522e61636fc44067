/** One suite for every runner: what the design promises to users, behaviour by behaviour. */
import { describe } from "vitest";
import { badInputSuite } from "./suite/bad-input.js";
import { batchHandlersSuite } from "./suite/batch-handlers.js";
import { cancelSuite } from "./suite/cancel.js";
import { closingSuite } from "./suite/closing.js";
import { columnsSuite } from "./suite/columns.js";
import { contextsSuite } from "./suite/contexts.js";
import { eventsSuite } from "./suite/events.js";
import { failuresSuite } from "./suite/failures.js";
import { identitySuite } from "./suite/identity.js";
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
    for (const suite of suites) suite(subject);
  });
}
