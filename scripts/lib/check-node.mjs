/**
 * Ends the process with a clear message when this Node is too old. Imported first and alone, and written in the
 * syntax of long ago: whatever else the entry needs it must import dynamically, or an old Node fails on that first.
 */
// oxlint-disable-next-line unicorn/prefer-node-protocol -- Node 14 must get as far as the message.
import { readFileSync } from "fs";

/** @param {string} version such as "20.19.1" */
function parse(version) {
  const parts = version.split(".").map(Number);
  return { major: parts[0] || 0, minor: parts[1] || 0 };
}

const floor = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).engines.node.slice(2);
const needed = parse(floor);
const current = parse(process.versions.node);

if (current.major < needed.major || (current.major === needed.major && current.minor < needed.minor)) {
  console.error(
    "Threadmill needs Node " + floor + " or newer. This is Node " + process.versions.node + ", at " + process.execPath,
  );
  process.exit(1);
}
