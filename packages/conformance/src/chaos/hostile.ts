/**
 * A task that works against its thread, among healthy jobs. It may falsify what its thread answers for others, and it
 * may silence it; what it must not do is reach beyond its thread: the engine neither throws nor counts wrongly, delivers
 * nothing twice, and once the jobs that the thread had are cancelled, each slot works again.
 */
import { hostile } from "../fixtures/index.js";
import { type HostileItem, NO_WAY, type Sabotage } from "../fixtures/chaotic-hostile.js";
import { isSettled } from "../history.js";
import { type ChaosOptions, type ChaosReport, Stage } from "./stage.js";

const ITEMS = 20;
/** How long jobs may wait for a thread that may have been silenced, before they are cancelled. No assertion. */
const SILENCE_MS = 300;

/**
 * How far a sabotage reaches. `nothing`: all jobs complete. `thread`: the thread is lost, as if it had died. `answers`:
 * what the thread says of its batches is false or does not come, and it is replaced once they are cancelled. `future`: the
 * thread may never work again, and not look as if.
 */
const reaches: Readonly<Record<Sabotage, "nothing" | "thread" | "answers" | "future">> = {
  none: "nothing",
  postsGarbage: "nothing",
  floodsPort: "nothing",
  closesPort: "thread",
  closesPortLater: "thread",
  doublesPosts: "nothing",
  postsUnreadable: "nothing",
  forgesAnswers: "answers",
  forgesTooMuch: "answers",
  forgesNews: "future",
  mutesPosts: "future",
  breaksPosts: "future",
  breaksMaps: "future",
  breaksPushes: "future",
  breaksPromises: "future",
  breaksClock: "future",
  breaksAtomics: "future",
  scribbles: "answers",
  stopsAll: "answers",
  raisesAll: "answers",
  sleepsAll: "answers",
};

/** What only values show, and values come from the thread. That its items end exactly once does not depend on it. */
const FALSIFIED = /^(S2|S8|S9|S11|L6: .*(was never run|has no value of its own))/;
/** Healthy jobs may have been in the thread. */
const UNFINISHED = /^the healthy job/;

export async function playHostile(sabotage: Sabotage, options: ChaosOptions): Promise<ChaosReport> {
  const thrown: unknown[] = [];
  const onThrown = (error: unknown): void => void thrown.push(error);
  process.on("uncaughtException", onThrown);
  try {
    const report = await play(sabotage, options);
    const faults = thrown.map((error) => `thrown on the main thread: ${(error as Error).stack}`);
    const reach = reaches[sabotage];
    const isExcused = (one: string): boolean =>
      (reach !== "nothing" && FALSIFIED.test(one)) ||
      ((reach === "answers" || reach === "future") && UNFINISHED.test(one));
    const broken = report.violations.filter((one) => !isExcused(one));
    return { ...report, violations: [...faults, ...broken] };
  } finally {
    process.off("uncaughtException", onThrown);
  }
}

async function play(sabotage: Sabotage, options: ChaosOptions): Promise<ChaosReport> {
  const stage = new Stage(options);
  const { engine, recorder } = stage;
  stage.startHealthyJobs();
  const work = stage.nextWork();
  const guilty = stage.random.below(ITEMS);
  const items = Array.from({ length: ITEMS }, (_, index): HostileItem => {
    return { work, index, sabotage: index === guilty ? sabotage : "none" };
  });
  const taskOptions = { log: recorder.log.shared };
  // The module has to be there before the batch that it is to see coming.
  await engine.warm(hostile, taskOptions);
  const handle = engine.run(hostile, items, { id: `hostile ${sabotage}`, onError: "collect", options: taskOptions });
  stage.follow(handle, work, {
    task: "hostile",
    items: ITEMS,
    attempts: 1,
    onError: "collect",
    collects: true,
    hasTimeout: false,
    maxInFlight: undefined,
  });
  // On fewer ways than were known when this was written, it would show nothing.
  handle.result.then(
    ({ failures }) => {
      const hasNone = failures.some(({ error }) => error.message.includes(NO_WAY));
      // The next thread may not have one yet for an item that goes again.
      if (hasNone && engine.stats().threadsLost === 0) stage.violations.push(NO_WAY);
    },
    () => undefined,
  );
  const reach = reaches[sabotage];
  if (reach === "nothing" || reach === "thread") return stage.finish();
  // Twice: threads that were silenced are found out by what they are given next.
  for (let round = 0; round < 2; round++) {
    await stage.rest(SILENCE_MS);
    for (const live of recorder.handles) {
      if (isSettled(live.state)) continue;
      recorder.cancel("handle", recorder.liveOf(live.id), () => live.cancel("enough"));
    }
    if (round === 0) stage.startHealthyJobs();
  }
  return stage.finish({ asNew: reach === "answers" });
}
