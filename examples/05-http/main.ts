/**
 * An engine behind HTTP. Serves until a signal; `--demo` is its own client for a moment and ends by itself.
 *
 * The first SIGINT or SIGTERM: no more jobs (503), those that run may end within the deadline and are then cancelled,
 * every stream has its last event, the port is closed. A second one ends the process at once.
 */
import { createEngine, shutdownOnSignals } from "@threadmill/engine";
import { buildApp } from "./app.js";
import { type Arguments, USAGE, readArguments } from "./arguments.js";
import { demo } from "./demo.js";

/** For clients that do not take their last event. */
const LAST_WORDS_MS = 1_000;

let given: Arguments;
try {
  given = readArguments(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exit(2);
}
if (given.wantsHelp) {
  console.log(USAGE);
  process.exit();
}

const engine = createEngine({ maxJobs: 100 });
const { closed } = shutdownOnSignals(engine, { deadlineMs: given.deadlineMs });
const app = buildApp(engine);
let address: string;
try {
  address = await app.listen({ host: "127.0.0.1", port: given.isDemo ? 0 : given.port });
} catch (error) {
  // The port is in use, or not for us.
  console.error((error as Error).message);
  process.exit(1);
}
console.log(`listening on ${address}`);

if (given.isDemo) {
  await demo(address);
  await engine.close();
} else {
  await closed;
}
const impatience = setTimeout(() => app.server.closeAllConnections(), LAST_WORDS_MS);
await app.close();
clearTimeout(impatience);
