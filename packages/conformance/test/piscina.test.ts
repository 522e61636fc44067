import { createEngine } from "@threadmill/engine";
import { testEngine } from "../src/suite.js";

testEngine("the Piscina runner with two threads", {
  createEngine: (options) => createEngine({ threads: 2, ...options }),
  slots: 2,
  engineOptions: { threads: 2 },
  lacks: {},
});
