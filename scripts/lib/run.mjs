import { spawn } from "node:child_process";

/** How much of what a child printed is kept at least, where only the end counts. */
const END_BYTES = 12_000;

/**
 * How a child ended: one of `code` and `signal` is null. `output` is empty unless captured or kept.
 * @typedef {{ code: number | null, signal: NodeJS.Signals | null, output: string }} Ending
 */

/**
 * Runs a child to its end and stays alive meanwhile: signals go to the child, and whoever waits for this process
 * learns how the child ended.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {boolean} [options.shell] `command` is a line for the shell.
 * @param {boolean} [options.capture] Collect what it prints instead of showing it; it gets no standard input then.
 * @param {boolean} [options.keepEnd] Show what it prints, and keep the end of it too.
 * @param {number} [options.timeLimitMs] Ends a child that takes longer: SIGTERM, five seconds later SIGKILL.
 * @returns {Promise<Ending>} Rejects only if the child could not be started.
 */
export async function run(
  command,
  args,
  { cwd, env, shell = false, capture = false, keepEnd = false, timeLimitMs } = {},
) {
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: capture ? ["ignore", "pipe", "pipe"] : keepEnd ? ["inherit", "pipe", "pipe"] : "inherit",
    // On Windows npm and the binaries in node_modules/.bin are scripts, which only a shell can start.
    shell: shell || (process.platform === "win32" && command !== process.execPath),
  });
  let printed = Buffer.alloc(0);
  /** @param {Buffer} chunk */
  const keep = (chunk) => {
    printed = Buffer.concat([printed, chunk]);
    if (keepEnd && printed.length > 2 * END_BYTES) printed = printed.subarray(-END_BYTES);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  if (keepEnd) {
    child.stdout?.pipe(process.stdout, { end: false });
    child.stderr?.pipe(process.stderr, { end: false });
  }

  const stopForwarding = forwardSignals(child);
  const timers =
    timeLimitMs === undefined
      ? []
      : [
          setTimeout(() => child.kill("SIGTERM"), timeLimitMs),
          setTimeout(() => child.kill("SIGKILL"), timeLimitMs + 5_000),
        ];
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      // "close" rather than "exit": by then all that it printed has arrived.
      child.once("close", (code, signal) => resolve({ code, signal, output: printed.toString() }));
    });
  } finally {
    for (const timer of timers) clearTimeout(timer);
    stopForwarding();
  }
}

/**
 * Ends this process as its child ended.
 * @param {Ending} ending
 * @returns {never}
 */
export function endAs({ code, signal }) {
  // No listener of ours is left on the signal, so it does to us what it did to the child.
  if (signal !== null && process.platform !== "win32") process.kill(process.pid, signal);
  process.exit(code ?? 1);
}

/** Signals closer together than this are one press of Ctrl-C (or one kill), seen by two routes. */
const ONE_PRESS_MS = 75;

/**
 * Passes a signal on to the child if the child does not have it already: twice would be a second Ctrl-C, which asks to
 * end at once. Ctrl-C, and a kill of the whole process group, reach the child directly; a kill of one process does not.
 * A signal does not say which it was, but the routes differ:
 *
 * - A terminal sends SIGINT and SIGHUP, always to the group.
 * - npm forwards SIGINT and SIGTERM to what it started, which is us (package.json says `exec`, so that no shell stands
 *   between and swallows them). So two in a burst, one direct and one from npm, mean the group; one means that only
 *   npm, or only we, were addressed. (Two that arrive before we are scheduled count as one: hence the terminal first.)
 *
 * @param {import("node:child_process").ChildProcess} child
 * @returns {() => void} stops it
 */
function forwardSignals(child) {
  const underNpm = process.env["npm_config_user_agent"]?.startsWith("npm/") === true;
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  /** @type {Map<NodeJS.Signals, number>} */
  const bursts = new Map();
  /** @param {NodeJS.Signals} signal */
  const onSignal = (signal) => {
    const count = (bursts.get(signal) ?? 0) + 1;
    bursts.set(signal, count);
    if (count > 1) return;
    setTimeout(() => {
      const fromTerminal = onTerminal && signal !== "SIGTERM";
      const twice = underNpm && (bursts.get(signal) ?? 0) > 1;
      bursts.delete(signal);
      if (!fromTerminal && !twice) child.kill(signal);
    }, ONE_PRESS_MS);
  };
  /** @type {readonly NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.removeListener(signal, onSignal);
  };
}
