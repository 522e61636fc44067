/**
 * Kills processes that write a cache file, at random instants, and opens the file again each time: it must hold the state
 * of one flush, not older than the last that was said to be safe, and only one of two that open it at once may have it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Random } from "../random.js";
import type { Word } from "./child.js";
import { compiled } from "./compiled.js";

export interface KillBudget {
  readonly seed: number;
  /** Whichever comes first. */
  readonly kills?: number;
  readonly seconds?: number;
}

export interface KillFigures {
  readonly kills: number;
  /** Where the process was when it was killed. */
  readonly killedBeforeOpen: number;
  readonly killedInWrite: number;
  readonly killedBetween: number;
  /** Openings by two processes at once. */
  readonly races: number;
  readonly refusals: number;
  readonly lastCount: number;
  readonly violations: readonly string[];
}

const PROGRAM = fileURLToPath(compiled("child.js"));
/** Each on a file of its own, side by side. */
const LANES = 2;

type Tally = { -readonly [Name in Exclude<keyof KillFigures, "violations">]: number } & { violations: string[] };

export async function killCaches({ seed, kills = Infinity, seconds = Infinity }: KillBudget): Promise<KillFigures> {
  const folder = await mkdtemp(join(tmpdir(), "threadmill-cache-kills-"));
  const until = performance.now() + seconds * 1_000;
  const tally: Tally = {
    kills: 0,
    killedBeforeOpen: 0,
    killedInWrite: 0,
    killedBetween: 0,
    races: 0,
    refusals: 0,
    lastCount: 0,
    violations: [],
  };
  let begun = 0;
  const mayGoOn = (): boolean => begun++ < kills && performance.now() < until && tally.violations.length === 0;
  try {
    await Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        const one = new Lane(join(folder, `lane-${lane}`), new Random(seed * LANES + lane), tally);
        while (mayGoOn()) await one.round();
        await one.end();
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return tally;
}

/** One file, and what is known of it from the processes that have had it. */
class Lane {
  readonly #folder: string;
  readonly #file: string;
  readonly #random: Random;
  readonly #tally: Tally;
  /** What the file may hold. */
  #safe = 0;
  #tried = 0;

  constructor(folder: string, random: Random, tally: Tally) {
    this.#folder = folder;
    this.#file = join(folder, "photos.cache");
    this.#random = random;
    this.#tally = tally;
  }

  async round(): Promise<void> {
    const random = this.#random;
    const isRace = random.chance(0.15);
    const victims = Array.from({ length: isRace ? 2 : 1 }, () => new Victim(this.#file));
    // A quarter is killed on the way up, the rest somewhere in its writes.
    if (isRace || random.chance(0.75)) {
      await Promise.all(victims.map((victim) => victim.settled));
      if (isRace) this.#checkRace(victims);
      await sleep(random.next() * 60);
    } else await sleep(random.next() * 150);
    await Promise.all(victims.map((victim) => victim.kill()));
    for (const victim of victims) this.#learn(victim);
  }

  /** Opens it once more, and sees that nothing is left beside it. */
  async end(): Promise<void> {
    const last = new Victim(this.#file);
    await last.settled;
    await last.kill();
    this.#learn(last);
    this.#tally.kills--;
    // Its own lock, and perhaps its own half-written file: what others have left was swept away.
    const strange = (await readdir(this.#folder)).filter((name) => !/^photos\.cache(?:\.lock|\.tmp-\w+)?$/.test(name));
    if (strange.length > 0) this.#violation(`left beside the file: ${strange.join(", ")}`);
    this.#tally.lastCount = Math.max(this.#tally.lastCount, this.#tried);
  }

  #checkRace(victims: readonly Victim[]): void {
    this.#tally.races++;
    const opened = victims.filter(({ opened: count }) => count !== undefined);
    if (opened.length !== 1) this.#violation(`${opened.length} of ${victims.length} that came at once have the file`);
    for (const { refusedBy } of victims) {
      if (refusedBy === undefined) continue;
      this.#tally.refusals++;
      if (refusedBy !== opened[0]?.pid) this.#violation(`refused because of ${refusedBy}, not ${opened[0]?.pid}`);
    }
  }

  #learn({ opened, set, saved, refusedBy, troubles }: Victim): void {
    const tally = this.#tally;
    for (const trouble of troubles) this.#violation(trouble);
    if (refusedBy !== undefined) return;
    tally.kills++;
    if (opened === undefined) {
      tally.killedBeforeOpen++;
      return;
    }
    if (opened < this.#safe || opened > this.#tried) {
      this.#violation(`the file holds ${opened}, and should hold ${this.#safe} to ${this.#tried}`);
    }
    if (set > saved) tally.killedInWrite++;
    else tally.killedBetween++;
    this.#safe = Math.max(opened, saved);
    this.#tried = Math.max(opened, set);
  }

  #violation(what: string): void {
    this.#tally.violations.push(`after ${this.#tally.kills} kills: ${what}`);
  }
}

class Victim {
  readonly #process: ChildProcess;
  /** All of what it wrote has been read. */
  readonly #isRead: Promise<unknown>;
  /** It has the file, or never will. */
  readonly settled: Promise<void>;
  opened: number | undefined;
  set = 0;
  saved = 0;
  refusedBy: number | undefined;
  readonly troubles: string[] = [];

  constructor(file: string) {
    this.#process = spawn(process.execPath, [PROGRAM, file], { stdio: ["ignore", "pipe", "inherit"] });
    const { stdout } = this.#process;
    if (stdout === null) throw new Error("a process without an output");
    const lines = createInterface({ input: stdout });
    this.#isRead = once(lines, "close");
    this.settled = new Promise((resolve) => {
      lines.on("line", (line) => {
        this.#hear(line);
        if (this.opened !== undefined || this.refusedBy !== undefined) resolve();
      });
      lines.on("close", resolve);
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#isRead;
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, "exit");
  }

  #hear(line: string): void {
    const [word, first, second] = line.split(" ") as [Word, ...string[]];
    switch (word) {
      case "opened":
      case "set":
      case "saved":
        this[word] = Number(first);
        break;
      case "refused":
        this.refusedBy = Number(second);
        break;
      case "warned":
      case "broken":
        this.troubles.push(line);
        break;
      default:
        this.troubles.push(`said ${String(word satisfies never)}`);
    }
  }
}
