/** The same chaos and the same random runs as in the tests, for as long as one likes. */
import { type Engine, type EngineOptions, createEngine } from "@threadmill/engine";
import { sabotages } from "../fixtures/chaotic-hostile.js";
import { type RandomRunFigures, runRandomly } from "../random-run.js";
import { playHostile } from "./hostile.js";
import { endless, misdeeds, nativeCalls, setupMisdeeds, teardownMisdeeds } from "./misdeeds.js";
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
} from "./play.js";
import { type PoisonOptions, poisonTasks, runPoison } from "./poison.js";
import { playRandom } from "./random-chaos.js";
import type { ChaosFigures, ChaosOptions, ChaosReport } from "./stage.js";

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
}

/** A run that broke a promise, and how to have it again. */
export interface SoakFailure {
  readonly what: string;
  readonly seed: number;
  readonly threads: number;
  readonly violations: readonly string[];
}

type Totals<Figures> = { -readonly [Name in keyof Figures]: number };

export interface SoakReport<Figures> {
  readonly plays: number;
  readonly totals: Totals<Figures>;
  readonly failures: readonly SoakFailure[];
}

const MAX_FAILURES = 20;
const POISON = { items: 10_000, killers: 7, throwers: 13 };

const kinds = Object.keys(handlerKinds) as HandlerKind[];

/** Every misdeed with every kind of handler, every sabotage, poison, and ends at random steps: round after round. */
const scenes: readonly (readonly [name: string, play: (options: ChaosOptions) => Promise<ChaosReport>])[] = [
  ...kinds.flatMap((kind) => [
    ...misdeeds.map(
      (misdeed) =>
        [`${misdeed.deed} (${kind})`, (options: ChaosOptions) => playMisdeed(misdeed, kind, options)] as const,
    ),
    ...endless.map(
      (deed) => [`cancel of ${deed} (${kind})`, (options: ChaosOptions) => playCancel(deed, kind, options)] as const,
    ),
  ]),
  ...(Object.keys(loadMisdeeds) as (keyof typeof loadMisdeeds)[]).map(
    (name) => [name, (options: ChaosOptions) => playLoad(name, options)] as const,
  ),
  ...setupMisdeeds.map(
    (misdeed) => [`a setup that ${misdeed.deed}`, (options: ChaosOptions) => playSetup(misdeed, options)] as const,
  ),
  ...teardownMisdeeds.map(
    (deed) => [`a teardown that ${deed}`, (options: ChaosOptions) => playTeardown(deed, options)] as const,
  ),
  ...nativeCalls.map(
    ([addon, callMs]) =>
      [`${addon} for ${callMs} ms`, (options: ChaosOptions) => playNative(addon, callMs, options)] as const,
  ),
  ...sabotages.map((one) => [`by ${one}`, (options: ChaosOptions) => playHostile(one, options)] as const),
  ...(Object.keys(poisonTasks) as PoisonOptions["kind"][]).map(
    (kind) => [`poison with ${kind}`, (options: ChaosOptions) => playPoison(kind, options)] as const,
  ),
  ...Array.from({ length: 20 }, () => ["ends at random steps", playRandom] as const),
];

async function playPoison(kind: PoisonOptions["kind"], options: ChaosOptions): Promise<ChaosReport> {
  const { failed, expected, delivered, wrong, threadsLost } = await runPoison({ ...options, ...POISON, kind });
  const violations: string[] = [];
  if (failed.join() !== expected.join()) violations.push(`failed: ${failed.join()}, expected: ${expected.join()}`);
  if (delivered !== POISON.items || wrong > 0) violations.push(`${delivered} were delivered, ${wrong} wrong`);
  if (threadsLost > 3 * POISON.killers) violations.push(`${threadsLost} threads were lost`);
  const figures = { jobs: 1, items: delivered, threadsLost, threadsStuck: 0, threadsStarted: 0, droppedMessages: 0 };
  return { violations, figures };
}

/** Real-thread chaos until the time is over. Goes on after a failure, up to a number of them. */
export function soakChaos(options: SoakOptions): Promise<SoakReport<ChaosFigures>> {
  return soak(options, async (round, seed) => {
    const [what, play] = scenes[round % scenes.length] as (typeof scenes)[number];
    const threads = 1 + ((round + Math.floor(round / scenes.length)) % 2);
    const report = await withEngines((make) => play({ seed, threads, createEngine: make }));
    return { what, threads, ...report };
  });
}

/** Random histories, inline and on threads, until the time is over. */
export function soakRandomRuns(options: SoakOptions): Promise<SoakReport<RandomRunFigures>> {
  return soak(options, async (round, seed) => {
    const threads = round % 3;
    const { violations, script, figures } = await withEngines((make) =>
      runRandomly({
        seed,
        mayDie: threads > 0,
        createEngine: (engineOptions) => make({ ...engineOptions, threads }),
      }),
    );
    return { what: script.join("\n"), threads, violations, figures };
  });
}

/** No engine outlives its run, however that ended. */
async function withEngines<Result>(
  body: (make: (options: EngineOptions) => Engine) => Promise<Result>,
): Promise<Result> {
  const engines: Engine[] = [];
  try {
    return await body((options) => {
      const engine = createEngine(options);
      engines.push(engine);
      return engine;
    });
  } finally {
    for (const engine of engines) await engine.close({ deadlineMs: 0 });
  }
}

async function soak<Figures extends object>(
  { seconds, seed: first }: SoakOptions,
  play: (
    round: number,
    seed: number,
  ) => Promise<{ what: string; threads: number; violations: readonly string[]; figures: Figures }>,
): Promise<SoakReport<Figures>> {
  const end = performance.now() + seconds * 1_000;
  const totals: Record<string, number> = {};
  const failures: SoakFailure[] = [];
  let plays = 0;
  while (performance.now() < end && failures.length < MAX_FAILURES) {
    const seed = first + plays;
    const { what, threads, violations, figures } = await play(plays, seed);
    plays++;
    for (const [name, value] of Object.entries(figures)) totals[name] = (totals[name] ?? 0) + Number(value);
    if (violations.length > 0) failures.push({ what, seed, threads, violations });
  }
  return { plays, totals: totals as Totals<Figures>, failures };
}
