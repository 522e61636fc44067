/**
 * An engine behind HTTP. Serves until a signal; `--demo` is its own client for a moment and ends by itself.
 *
 * The first SIGINT or SIGTERM: no more jobs (503), those that run may end within the deadline and are then cancelled,
 * every stream has its last event, the port is closed. A second one ends the process at once.
 */
import { parseArgs } from "node:util";
import { createEngine, shutdownOnSignals } from "@threadmill/engine";
import { buildApp } from "./app.js";
import { demo } from "./demo.js";

/** For clients that do not take their last event. */
const LAST_WORDS_MS = 1_000;

const { values: given } = parseArgs({
  options: {
    port: { type: "string", default: "3000" },
    "deadline-ms": { type: "string", default: "5000" },
    demo: { type: "boolean", default: false },
  },
});

const engine = createEngine({ maxJobs: 100 });
const { closed } = shutdownOnSignals(engine, { deadlineMs: Number(given["deadline-ms"]) });
const app = buildApp(engine);
const address = await app.listen({ host: "127.0.0.1", port: given.demo ? 0 : Number(given.port) });
console.log(`listening on ${address}`);

if (given.demo) {
  await demo(address);
  await engine.close();
} else {
  await closed;
}
const impatience = setTimeout(() => app.server.closeAllConnections(), LAST_WORDS_MS);
await app.close();
clearTimeout(impatience);
