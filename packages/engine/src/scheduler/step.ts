/**
 * The scheduler: `step` takes one event, changes the state that it owns and appends the effects it wants. It is pure
 * in the sense that counts: no clock, timer, promise, chance or callback; the same events give the same effects.
 */
import { admit } from "./admit.js";
import { onBroken, onDone, onRevoked, onSpoilt } from "./answers.js";
import { fill } from "./assign.js";
import { giveWay } from "./balance.js";
import { arm, onTick } from "./clock.js";
import type { Effect } from "./effects.js";
import type { SchedulerEvent } from "./events.js";
import { deliverFound, sortOut, sortOutAwaited } from "./found.js";
import { refresh, settle, settleIfComplete } from "./life.js";
import { enter, leave } from "./share.js";
import type { State } from "./state.js";
import type { Turn } from "./turn.js";
import { pullIfRoom } from "./supply.js";
import { onStrayEnded, onThreadEnding, onThreadFailed, onThreadLost, onThreadReady } from "./threads.js";

export function step(state: State, event: SchedulerEvent, now: number, out: Effect[]): void {
  const turn: Turn = { state, now, out };
  handle(turn, event);
  fill(turn);
  // Newcomers are welcomed whenever slots are filled; one that comes back from a pause is asked for once.
  if (event.type === "resume-asked") {
    const job = state.jobs.get(event.job);
    if (job !== undefined && job.batches.size === 0 && state.runnable.has(job)) giveWay(turn, job);
  }
  arm(turn);
  if (!state.isIdle && state.jobs.size === 0 && state.lingering === 0) {
    state.isIdle = true;
    out.push({ type: "idle" });
  }
}

function handle(turn: Turn, event: SchedulerEvent): void {
  const { state } = turn;
  switch (event.type) {
    case "submit":
      admit(turn, event);
      break;
    case "items": {
      const job = state.jobs.get(event.job);
      if (job === undefined) break;
      job.supplied += event.count;
      if (event.sorting !== undefined) sortOut(turn, job, event.sorting);
      refresh(turn, job);
      break;
    }
    case "awaited": {
      const job = state.jobs.get(event.job);
      if (job !== undefined) sortOutAwaited(turn, job, event.sorting);
      break;
    }
    case "pulled": {
      const job = state.jobs.get(event.job);
      if (job === undefined) break;
      job.isPulling = false;
      if (event.ended) job.sourceEnded = true;
      settleIfComplete(turn, job);
      pullIfRoom(turn, job);
      break;
    }
    case "source-failed": {
      const job = state.jobs.get(event.job);
      if (job !== undefined) settle(turn, job, { outcome: "failed", fault: { kind: "source" } });
      break;
    }
    case "read": {
      const job = state.jobs.get(event.job);
      if (job === undefined) break;
      job.unread -= event.count;
      pullIfRoom(turn, job);
      break;
    }
    case "thread-ready":
      onThreadReady(turn, event);
      break;
    case "thread-failed":
      onThreadFailed(turn, event);
      break;
    case "thread-ending":
      onThreadEnding(turn, event);
      break;
    case "thread-lost":
      onThreadLost(turn, event);
      break;
    case "stray-ended":
      onStrayEnded(turn);
      break;
    case "described": {
      const recipe = state.recipes.get(event.recipe);
      if (recipe === undefined || recipe.phase === "known") break;
      recipe.phase = "known";
      recipe.kind = event.kind;
      recipe.concurrency = event.concurrency;
      recipe.maxBatchItems = event.maxBatchItems;
      for (const job of recipe.jobs) {
        refresh(turn, job);
        pullIfRoom(turn, job);
      }
      break;
    }
    case "done":
      onDone(turn, event);
      break;
    case "spoilt":
      onSpoilt(turn, event);
      break;
    case "broken":
      onBroken(turn, event);
      break;
    case "revoked":
      onRevoked(turn, event);
      break;
    case "recipe-forgotten":
      state.recipes.delete(event.recipe);
      break;
    case "stop-asked": {
      const job = state.jobs.get(event.job);
      if (job !== undefined) settle(turn, job, { outcome: "cancelled" });
      break;
    }
    case "pause-asked": {
      const job = state.jobs.get(event.job);
      if (job === undefined) break;
      if (job.phase === "live") {
        job.phase = "paused";
        leave(turn, job);
        refresh(turn, job);
        for (const batch of job.batches) turn.out.push({ type: "revoke", batch, keep: 0, least: 0 });
      }
      if (job.batches.size === 0) turn.out.push({ type: "paused", job: job.key });
      break;
    }
    case "resume-asked": {
      const job = state.jobs.get(event.job);
      if (job === undefined || job.phase !== "paused") break;
      job.phase = "live";
      enter(turn, job);
      refresh(turn, job);
      deliverFound(turn, job);
      pullIfRoom(turn, job);
      break;
    }
    case "tick":
      // The timer is off until it is set again.
      state.armedFor = Infinity;
      onTick(turn, event.cursors);
      break;
  }
}
