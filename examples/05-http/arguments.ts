/** What the program is asked for on its command line. */
import { parseArgs } from "node:util";

export interface Arguments {
  readonly port: number;
  readonly deadlineMs: number;
  readonly isDemo: boolean;
  readonly wantsHelp: boolean;
}

export const USAGE = `usage: main.js [--port 3000] [--deadline-ms 5000] [--demo] [--help]

  --port         where to listen, on 127.0.0.1; 0: any free port
  --deadline-ms  how long jobs may go on after the first SIGINT or SIGTERM
  --demo         be your own client for a moment, and end`;

/** @throws {Error} an argument that is unknown or out of range. */
export function readArguments(args: string[]): Arguments {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: "string", default: "3000" },
      "deadline-ms": { type: "string", default: "5000" },
      demo: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return {
    port: whole("--port", values.port, 65_535),
    deadlineMs: whole("--deadline-ms", values["deadline-ms"], Number.MAX_SAFE_INTEGER),
    isDemo: values.demo,
    wantsHelp: values.help,
  };
}

function whole(name: string, text: string, most: number): number {
  if (/^\d+$/.test(text) && Number(text) <= most) return Number(text);
  throw new Error(`${name} must be a whole number from 0 to ${most}, not ${JSON.stringify(text)}`);
}
