import { createEngine } from "@threadmill/engine";
import { testEngine } from "../src/suite.js";

testEngine("the Piscina runner with one thread", {
  createEngine: (options) => createEngine({ threads: 1, ...options }),
  slots: 1,
  engineOptions: { threads: 1 },
  lacks: { childProcess: "the same with one thread as with two" },
});
