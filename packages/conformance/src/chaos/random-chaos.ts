/** Several kinds of chaos at once; jobs are cancelled, and the engine is closed, at random steps. */
import { isSettled } from "../history.js";
import type { Handle } from "../recorder.js";
import { endless, misdeeds } from "./misdeeds.js";
import { type HandlerKind, handlerKinds, runChaotic } from "./play.js";
import { type ChaosOptions, type ChaosReport, Stage } from "./stage.js";

const MAX_STEPS = 12;
const MAX_TURNS = 20_000;
const TIMEOUT_MS = 80;
/**
 * A late throw kills whatever is in its thread then, and the one who has not said so is blamed. Where somebody listens to
 * all events of a thread, nothing that is thrown there ends it any more, and who waits for that waits for ever.
 */
const unfit = new Set<string>(["throwsAfterReturn", "rejectsAfterReturn", "listensToAll"]);
const deeds = [...new Set([...misdeeds.map(({ deed }) => deed), ...endless])].filter((deed) => !unfit.has(deed));

export async function playRandom(options: ChaosOptions): Promise<ChaosReport> {
  const stage = new Stage(options);
  const { random, recorder, engine } = stage;
  const chaotic: Handle[] = [];
  /** Those that would never end by themselves. */
  const doomed: Handle[] = [];
  stage.startHealthyJobs();
  const steps = 2 + random.below(MAX_STEPS);
  const closes = random.chance(0.3);
  for (let step = 0; step < steps; step++) {
    const victim = chaotic.length === 0 ? undefined : random.pick(chaotic);
    if (victim !== undefined && !isSettled(victim.state) && random.chance(0.4)) {
      recorder.cancel("handle", [victim], () => victim.cancel("enough"));
    } else if (random.chance(0.5)) {
      const kind = random.pick(Object.keys(handlerKinds) as HandlerKind[]);
      const timeoutMs = random.chance(0.3) ? TIMEOUT_MS : undefined;
      const deed = random.pick(deeds);
      const { handle } = runChaotic(stage, kind, deed, { times: 1, timeoutMs });
      chaotic.push(handle);
      if (timeoutMs === undefined && endless.includes(deed as never)) doomed.push(handle);
    }
    // Until handlers have done something more, though perhaps none can.
    const goal = recorder.log.length + random.below(150);
    for (let turns = random.below(MAX_TURNS); turns > 0 && recorder.log.length < goal; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  if (closes) {
    const live = recorder.handles.filter((handle) => !isSettled(handle.state));
    recorder.cancel("close", live, () => void engine.close({ deadlineMs: 0 }));
    return stage.finishClosed();
  }
  for (const handle of doomed) {
    if (!isSettled(handle.state)) recorder.cancel("handle", [handle], () => handle.cancel("enough"));
  }
  return stage.finish();
}
