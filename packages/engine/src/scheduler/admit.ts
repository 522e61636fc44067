/** How a job comes in. Whether it may is asked before: a refused `run` must have no effect. */
import type { SubmitEvent } from "./events.js";
import { refresh, settleIfComplete } from "./life.js";
import { enter } from "./share.js";
import { Heap } from "./heap.js";
import { Ranges } from "./ranges.js";
import { type Job, createRecipe, isDueBefore } from "./state.js";
import type { Turn } from "./turn.js";
import { pullIfRoom } from "./supply.js";
import { restart } from "./threads.js";

export function admit(turn: Turn, event: SubmitEvent): void {
  const { state } = turn;
  let recipe = state.recipes.get(event.recipe);
  if (recipe === undefined) {
    recipe = createRecipe(event.recipe);
    state.recipes.set(event.recipe, recipe);
  }
  const job: Job = {
    key: event.job,
    recipe,
    rules: event.rules,
    phase: "live",
    hasStarted: false,
    supplied: event.supplied,
    sourceEnded: event.sourceEnded,
    isPulling: false,
    fresh: 0,
    isSparse: false,
    found: 0,
    returned: new Ranges(),
    retries: new Heap(isDueBefore),
    pieces: [],
    suspects: [],
    attempts: undefined,
    kills: undefined,
    killsBeforeItems: 0,
    batches: new Set(),
    completed: 0,
    failed: 0,
    unread: 0,
    isThrottled: event.isThrottled,
    share: 0,
    advanceMs: 0,
    order: state.nextOrder++,
    toWarm: event.isWarmUp ? new Set(state.slots) : undefined,
  };
  enter(turn, job);
  state.jobs.set(job.key, job);
  recipe.jobs.add(job);
  if (event.isWarmUp) state.warmUps.add(job);
  else state.newcomers.add(job);
  state.isIdle = false;
  for (const slot of state.slots) {
    // Slots that were given up get another chance with new work, unless their thread is merely stuck.
    if (slot.phase === "broken" && slot.running === undefined) {
      slot.failedStarts = 0;
      restart(turn, slot);
    }
  }
  settleIfComplete(turn, job);
  refresh(turn, job);
  pullIfRoom(turn, job);
}
