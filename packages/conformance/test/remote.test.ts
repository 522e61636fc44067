/**
 * The suite over a port. The engine behind it runs inline, as the threads have been tested without the port; tests of
 * remote clients in real threads are in remote-*.test.ts.
 */
import { connectPair } from "../src/remote/pair.js";
import { testEngine } from "../src/suite.js";

const WEIGH = "weigh is a function, which cannot be sent";
const THROWS = "what only the engine knows rejects the result, and does not throw";
const LATER = "the engine hears of it a moment later; the test looks into the engine in the same tick";
const FROM_CACHE = "fromCache is known when the engine has answered; tested in remote-client.test.ts";
const CACHE = "a cache is an object with functions, which cannot be sent";
const SENT = "an array this short is sent in the tick of run; longer ones are tested in remote-items.test.ts";
const ASYNC = "cancel by id answers by a promise; tested in remote-client.test.ts";

testEngine("the remote engine", {
  createEngine: (options) => connectPair({ threads: 0, ...options }).face,
  slots: 1,
  engineOptions: { threads: 0 },
  lacks: {
    ownThreads: "the engine behind the port runs inline, and handlers on the main thread",
    childProcess: "a process with a remote client is tested in remote-process.test.ts",
  },
  skips: {
    "a job with a cache": CACHE,
    "what a job with a cache stores": CACHE,
    "a job with a cache that streams": CACHE,
    "pause and cancel of a job with a cache": CACHE,
    "a cache that fails": CACHE,
    "items of one job with the same key": CACHE,
    "the cache option": CACHE,
    "values > fail the job by name when the caller's array loses some during the job": SENT,
    "values > fail the job by name when the caller's array gets more during the job": SENT,
    "weighed items > are in flight up to maxInFlightBytes, counted to the reader": WEIGH,
    "weighed items > of a collecting job are all delivered, and one above the bound travels alone": WEIGH,
    "weighed items > whose weigh throws fail the job as a source does": WEIGH,
    "weighed items > whose weigh answers no number fail the job as a source does": WEIGH,
    "weighed items > whose weigh answers less than nothing fail the job as a source does": WEIGH,
    "a source > is closed when the job fails, and not when it has ended by itself": WEIGH,
    "a columns handler > takes nothing but a column": WEIGH,
    "a columns handler > leaves a result that is kept under the job's id": FROM_CACHE,
    "an id > of a completed job answers from the cache, and touches no thread": FROM_CACHE,
    "an id > of a completed job still says how many attempts its items took": FROM_CACHE,
    "an id > falls out of the cache, least recently used first, and runs again": FROM_CACHE,
    "an id > of a live job joins it: the work is done once, for two handles": LATER,
    "an id > is looked up: live, settled with state, error and stats, or undefined": LATER,
    "a signal of one of several handles > settles that handle only; the work goes on for the others": LATER,
    "a signal of one of several handles > cancels the work when it was the last handle": LATER,
    "a signal of one of several handles > does not keep the work alive for those who only look": LATER,
    "a signal of one of several handles > that is aborted already gives a cancelled handle and leaves the live job alone":
      LATER,
    "cancel > by signal settles in the same tick, for the reason given": LATER,
    "cancel > by handle settles in the same tick, for the reason given": LATER,
    "pause > is told by stats": LATER,
    "events of a handle > a job that a settle listener starts holds the engine: drain waits for it": LATER,
    "close > with deadline 0 cancels what is live, in the same tick, and says what": LATER,
    "close > by disposal cancels, tears down and closes": THROWS,
    "close > waits for live jobs, and takes no more": THROWS,
    "bad input to run > more than maxJobs live jobs are refused, until one has ended": THROWS,
    "an id > of a live job with another task, or for collect: false, is a conflict that changes nothing": THROWS,
    "an id > of a live job that does not collect is a conflict too": THROWS,
    "cancel > by id settles in the same tick, for the reason given": ASYNC,
    "cancel > of an id that no live job has does nothing": ASYNC,
    "close > leaves what was read readable: results and records stay": ASYNC,
  },
});
