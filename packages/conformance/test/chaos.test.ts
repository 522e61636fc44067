/**
 * Chaos on real threads, among healthy jobs, checked by the history checker. A failure prints its seed;
 * `THREADMILL_SEED` plays that one again.
 */
import { createEngine } from "@threadmill/engine";
import { describe, expect, test } from "vitest";
import { endless, misdeeds, nativeCalls, setupMisdeeds, teardownMisdeeds } from "../src/chaos/misdeeds.js";
import {
  type HandlerKind,
  handlerKinds,
  loadMisdeeds,
  playCancel,
  playLoad,
  playMisdeed,
  playNative,
  playSetup,
  playTeardown,
} from "../src/chaos/play.js";
import { playRandom } from "../src/chaos/random-chaos.js";
import { soakChaos, soakRandomRuns } from "../src/chaos/soak.js";
import type { ChaosOptions, ChaosReport } from "../src/chaos/stage.js";
import { spinning } from "../src/fixtures/index.js";
import { Gate } from "../src/gate.js";
import { useKit } from "../src/leaks.js";

const given = process.env["THREADMILL_SEED"];
const seed = given === undefined ? Math.floor(Math.random() * 1e9) : Number(given);
const RANDOM = 4;
const kinds = Object.keys(handlerKinds) as HandlerKind[];

describe("chaos among healthy jobs", () => {
  const kit = useKit({
    createEngine: (options) => createEngine(options),
    slots: 2,
    lacks: {},
    engineOptions: { threads: 2 },
  });
  let plays = 0;
  /** By turns on one thread and on two, beginning with either; the long runs have all on both. */
  function play(name: string, body: (options: ChaosOptions) => Promise<ChaosReport>): void {
    const threads = 1 + ((seed + plays++) % 2);
    test(`${name} (${threads} thread(s), THREADMILL_SEED=${seed})`, async () => {
      const { violations } = await body({ seed, threads, createEngine: (options) => kit.engine(options) });
      expect(violations).toEqual([]);
    });
  }
  const kindOf = (at: number): HandlerKind => kinds[(seed + at) % kinds.length] as HandlerKind;

  for (const [at, misdeed] of misdeeds.entries()) {
    const kind = kindOf(at);
    play(`items with ${misdeed.deed} (${kind}) end by name, and no others`, (options) =>
      playMisdeed(misdeed, kind, options),
    );
  }
  for (const [at, deed] of endless.entries()) {
    const kind = kindOf(at);
    play(`a job whose items have ${deed} (${kind}) can be cancelled`, (options) => playCancel(deed, kind, options));
  }
  for (const name of Object.keys(loadMisdeeds) as (keyof typeof loadMisdeeds)[]) {
    play(`${name} harms its own job only`, (options) => playLoad(name, options));
  }
  for (const misdeed of setupMisdeeds) {
    play(`a setup that ${misdeed.deed} harms its own job only`, (options) => playSetup(misdeed, options));
  }
  for (const deed of teardownMisdeeds) {
    play(`a teardown that ${deed} does not keep the engine from closing`, (options) => playTeardown(deed, options));
  }
  for (let at = 0; at < RANDOM; at++) {
    play(`of several kinds at once, ended at random steps, keeps every promise (${at})`, (options) =>
      playRandom({ ...options, seed: seed + at }),
    );
  }
  for (const [addon, callMs] of nativeCalls) {
    play(`a cancel while threads are in ${addon} for ${callMs} ms leaves them whole`, (options) =>
      playNative(addon, callMs, options),
    );
  }
});

describe("a close without patience", () => {
  const kit = useKit({ createEngine: (options) => createEngine(options), slots: 1, lacks: {}, engineOptions: {} });

  test("tells of jobs whose thread it had to end that they are stopped", async () => {
    // Hardly any grace: on a busy machine the thread needs what is left of the second to end.
    const engine = kit.engine({ threads: 1, graceMs: 10 });
    const gate = new Gate();
    const handle = engine.run(spinning, [{ value: 1, gate: gate.shared }]);
    await gate.arrived();
    expect(await engine.close({ deadlineMs: 0 })).toMatchObject({ leftBehind: [] });
    await handle.stopped;
    expect(handle.state).toBe("cancelled");
  });
});

describe("a long run", () => {
  test.each([
    ["of chaos", soakChaos],
    ["of random histories", soakRandomRuns],
  ])("%s says how far it came, and what it found", async (_, soak) => {
    const report = await soak({ seconds: 0.5, seed });
    expect(report.plays).toBeGreaterThan(0);
    expect(report.totals.jobs).toBeGreaterThan(0);
    expect(report.failures, `THREADMILL_SEED=${seed}`).toEqual([]);
  });
});
