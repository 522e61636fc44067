/**
 * `pnpm check`: all that must hold before a change goes in. Runs every step, also after one has failed, so that one
 * run shows everything; ends with what the failed ones printed last, and a summary. Names of steps as arguments run only those, in that order:
 * `pnpm check lint unused`. A step is a script of package.json, or `npm test` itself.
 */
import "./lib/check-node.mjs";

const { readFileSync } = await import("node:fs");
const { delimiter } = await import("node:path");
const { fileURLToPath } = await import("node:url");
const { root } = await import("./lib/root.mjs");
const { run } = await import("./lib/run.mjs");
const { install } = await import("./lib/setup.mjs");

/** Far above what any step takes, far below what would hold up a build server. */
const STEP_LIMIT_MS = 20 * 60_000;

/** Cheapest first, but for the build, which the type-aware steps rely on. */
const everything = ["format:check", "build", "lint", "types", "test:run", "unused", "packages"];

/** @type {{ scripts: Record<string, string> }} */
const { scripts } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const steps = process.argv.length > 2 ? process.argv.slice(2) : everything;
for (const step of steps) {
  if (step !== "npm test" && scripts[step] === undefined) {
    console.error(`check: there is no step "${step}". Steps: ${everything.join(", ")}`);
    process.exit(2);
  }
}

// `npm test` as the first step does its own setting up, the build too: that is what it is there to show.
if (steps[0] !== "npm test") await install();

const bin = fileURLToPath(new URL("node_modules/.bin", root));
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"]}` };

/** @type {{ step: string, passed: boolean, seconds: number, output: string }[]} */
const results = [];
for (const step of steps) {
  console.log(`\n── ${step} ──`);
  const startedAt = performance.now();
  const command = scripts[step] ?? step;
  const { code, signal, output } = await run(command, [], {
    cwd: fileURLToPath(root),
    env,
    shell: true,
    keepEnd: true,
    timeLimitMs: STEP_LIMIT_MS,
  });
  results.push({ step, passed: code === 0, seconds: (performance.now() - startedAt) / 1000, output });
  if (signal === "SIGINT") break;
}

// Logs are often kept by their end only.
for (const { step, passed, output } of results) {
  if (!passed) console.log(`\n── the end of ${step}, which failed ──\n${output}`);
}

console.log("\n── summary ──");
for (const { step, passed, seconds } of results) {
  console.log(`${passed ? "✓" : "✗"} ${step.padEnd(16)} ${seconds.toFixed(1).padStart(7)} s`);
}
const failed = results.filter((result) => !result.passed).length;
console.log(`\nchecks: ${results.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 && results.length === steps.length ? 0 : 1);
