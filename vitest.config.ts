import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Tests run in forked processes, which inherit this: libuv's threads are shared by all threads of a process, and
// sharp needs at least one for each of them (see scripts/start.mjs).
process.env["UV_THREADPOOL_SIZE"] ??= String(Math.max(4, 2 * availableParallelism()));

const packages = readdirSync(new URL("packages", import.meta.url));

export default defineConfig({
  test: {
    // A process per test file: the tests start threads, load natives, and count what is left over at the end.
    pool: "forks",
    // Many tests have listeners that throw, on purpose. Those that are about the warning hear it all the same.
    execArgv: ["--disable-warning=THREADMILL_LISTENER"],
    // One for each core. Nothing here is late because the machine is busy.
    maxWorkers: availableParallelism(),
    // Real threads on a busy machine: a limit that only a hang can reach. Nothing waits for time to pass.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    // A test that passes at the second try has found something.
    retry: 0,
    dangerouslyIgnoreUnhandledErrors: false,
    projects: [
      ...packages.map((name) => ({
        extends: true as const,
        test: { name, root: `packages/${name}`, include: ["test/**/*.test.ts"] },
      })),
      { extends: true, test: { name: "examples", root: "examples", include: ["**/test/**/*.test.ts"] } },
      { extends: true, test: { name: "bench", root: "bench", include: ["test/**/*.test.ts"] } },
      { extends: true, test: { name: "scripts", root: "scripts", include: ["test/**/*.test.mjs"] } },
    ],
  },
});
