import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
if (!existsSync(CLI)) throw new Error(`${CLI} is missing: these tests run the built program (tsc -b)`);

export interface CliEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliRun {
  readonly end: Promise<CliEnd>;
  /** Resolves when standard error has shown this text; rejects if the program ends before. */
  shows(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts the built command line in a folder. Runs have two threads unless said: the same on every machine. */
export function startCli(cwd: string, ...words: string[]): CliRun {
  const threads = ["search", "model"].includes(words[0] ?? "") ? [] : ["--threads", "2"];
  const child = spawn(process.execPath, [CLI, ...threads, ...words], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    for (const look of watchers) look();
  });
  const end = new Promise<CliEnd>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    end,
    kill: (signal) => void child.kill(signal),
    shows: async (text) => {
      const seen = new Promise<void>((resolve) => {
        const look = (): void => {
          if (!stderr.includes(text)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      });
      const over = end.then(() => {
        if (!stderr.includes(text))
          throw new Error(`the program ended without showing ${JSON.stringify(text)}: ${stderr}`);
      });
      await Promise.race([seen, over]);
    },
  };
}

/** Runs the command line to its end. */
export async function runCli(cwd: string, ...words: string[]): Promise<CliEnd> {
  return await startCli(cwd, ...words).end;
}
