import { createEngine } from "@threadmill/engine";
import { testEngine } from "../src/suite.js";

testEngine("the inline runner", {
  createEngine: (options) => createEngine({ threads: 0, ...options }),
  slots: 1,
  engineOptions: { threads: 0 },
  lacks: { ownThreads: "handlers run on the main thread: they cannot block it, hang in it or end it" },
});
