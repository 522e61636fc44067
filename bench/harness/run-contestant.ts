/** One run of one contestant, in a process of its own. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Contestant, Figures, Settings } from "./benchmark.js";
import type { Run } from "./quantities.js";
import { REPORT_MARK, SKIP_MARK } from "./report.js";
import { root } from "./root.js";

/** Far above what any run takes: only one that hangs reaches it. */
const RUN_LIMIT_MS = 15 * 60_000;
/** Of what it printed on standard error, in the report of a failure. */
const SHOWN_CHARACTERS = 160;

/** Never rejects for what the program does: a peer that fails is a result too. Aborting `signal` ends the process. */
export async function runContestant(contestant: Contestant, given: Settings, signal: AbortSignal): Promise<Run> {
  const child = spawn(process.execPath, [fileURLToPath(contestant.program), JSON.stringify(given)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...contestant.env },
    signal: AbortSignal.any([signal, AbortSignal.timeout(RUN_LIMIT_MS)]),
    killSignal: "SIGKILL",
  });
  let output = "";
  let complaints = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (complaints += chunk));
  const ending = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    // "close" rather than "exit": by then all that it printed has arrived.
    child.once("close", (code, ended) => resolve(code === 0 ? undefined : `ended with ${ended ?? `code ${code}`}`));
  });
  signal.throwIfAborted();
  const skipped = markedLine(output, SKIP_MARK);
  if (skipped !== undefined) return { status: "skipped", why: skipped };
  const figures = readFigures(output);
  if (ending === undefined && figures !== undefined) return { status: "ran", figures };
  const why = [ending ?? "reported no figures", complaintIn(complaints)].filter((one) => one !== undefined).join(": ");
  return { status: "failed", why };
}

/**
 * What a program died of, from its standard error: the line that names the error, without the folder that this repository
 * happens to be in, since it goes into the report.
 */
export function complaintIn(standardError: string): string | undefined {
  const lines = standardError.split("\n").map((line) => line.trim());
  const line = lines.find((one) => /^\w*Error\b|^FATAL|^Assertion/.test(one)) ?? lines.find((one) => one !== "");
  return line
    ?.replaceAll(`${pathToFileURL(root).href}/`, "")
    .replaceAll(join(root, "/"), "")
    .slice(0, SHOWN_CHARACTERS);
}

/** The figures in what a program printed, from its marked line. */
export function readFigures(output: string): Figures | undefined {
  const line = markedLine(output, REPORT_MARK);
  return line === undefined ? undefined : (JSON.parse(line) as Figures);
}

function markedLine(output: string, mark: string): string | undefined {
  return output
    .split("\n")
    .findLast((line) => line.startsWith(mark))
    ?.slice(mark.length);
}
