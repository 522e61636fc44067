import { it } from "vitest";
import { Simulation } from "../scheduler/simulated-threads.js";
it("x", () => {
  const s = new Simulation({ threads: 1, graceMs: 100 });
  const a = s.submit({ task: { concurrency: 2, fate: ({ index }) => (index === 1 ? "hang" : "ok") }, items: 2 });
  const b = s.submit({ task: { concurrency: 2, load: (n) => n < 1 ? "crash" : "ok" }, items: 1 });
  s.run();
  console.log(s.trace.join("\n"), s.now);
  s.cancel(a);
  s.run();
  console.log(s.trace.join("\n"), s.leftovers(), b.state, s.armedAt, s.state.slots[0], s.threads[0]?.isAlive, s.threads[0]?.runs.length);
});
