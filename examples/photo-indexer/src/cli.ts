#!/usr/bin/env node
import "./cli/thread-pool.js";
import "./cli/telemetry.js";
import { main } from "./cli/main.js";

// A reader that has seen enough (`| head`) is no reason to die in the middle of a run.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

process.exitCode = await main(process.argv.slice(2));
