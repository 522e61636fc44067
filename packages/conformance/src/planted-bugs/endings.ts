/** Bugs in answers, retries, and the ends of jobs and batches: answers, retry, life, step. */
import type { PlantedBug } from "./planted-bug.js";

export const endingBugs: readonly PlantedBug[] = [
  {
    name: "an answer is taken for that of the batch that runs",
    file: "answers",
    from: "slot.running?.number === event.batch",
    to: "slot.running !== undefined",
    why: "S2: an answer that comes twice answers for the next batch.",
  },
  {
    name: "an answer is taken for that of the batch behind",
    file: "answers",
    from: "slot.behind?.number === event.batch",
    to: "slot.behind !== undefined",
    why: "S2: an answer that comes twice answers for the next batch.",
  },
  {
    name: "a message from an earlier life of its slot counts",
    file: "answers",
    from: "slot === undefined || slot.incarnation !== event.incarnation",
    to: "slot === undefined",
    why: "S2: the thread that said it has been given up.",
  },
  {
    name: "what a job has done counts after its end",
    file: "answers",
    from: `if (job.phase === "settled")
        return;
    if (job.toWarm !== undefined) {`,
    to: "if (job.toWarm !== undefined) {",
    why: "S3, S7: results after the cancel.",
  },
  {
    name: "items that were claimed and then left alone are lost",
    file: "answers",
    from: "giveBack(batch, position, position + 1);",
    to: ";",
    why: "L1: the job waits for them for ever.",
  },
  {
    name: "items that a thread did not claim are lost",
    file: "answers",
    from: "giveBack(batch, claimed, batch.count);",
    to: "",
    why: "L1: the job waits for them for ever.",
  },
  {
    name: "a final failure is tried again",
    file: "answers",
    from: "retryLater(turn, job, index, isFinal, event.luck)",
    to: "retryLater(turn, job, index, false, event.luck)",
    why: "S9: FinalError says that no attempt can mend it.",
  },
  {
    name: "failures need not be read",
    file: "answers",
    from: "job.unread += completed + failed;",
    to: "job.unread += completed;",
    why: "S10: the count falls below zero, and the bound with it.",
  },
  {
    name: "an item that is to be tried again forgets its attempts",
    file: "answers",
    from: `if (retried?.has(position))
            continue;`,
    to: "",
    why: "S9: it is tried for ever.",
  },
  {
    name: "a job ends at its first failure though it collects them",
    file: "answers",
    from: "firstFailure !== undefined && job.rules.stopsAtFailure",
    to: "firstFailure !== undefined",
    why: "L6: the others are never delivered.",
  },
  {
    name: "a job goes on after a failure that should end it",
    file: "answers",
    from: "firstFailure !== undefined && job.rules.stopsAtFailure",
    to: "false",
    why: "L6: it completes with an item that failed.",
  },
  {
    name: "a job fails with the last failure of a batch",
    file: "answers",
    from: "firstFailure ??= index;",
    to: "firstFailure = index;",
    why: "It rejects with the first final failure, by index.",
  },
  {
    name: "an item that spoils its batch alone is split for ever",
    file: "answers",
    from: "batch.count <= 1",
    to: "batch.count < 1",
    why: "L1: half of one item is one item.",
  },
  {
    name: "the middle item of a spoilt batch is lost",
    file: "answers",
    from: "[middle, count],",
    to: "[middle + 1, count],",
    why: "L1: the job waits for it for ever.",
  },
  {
    name: "items that were taken back stay in their batch too",
    file: "answers",
    from: "batch.count = event.from;",
    to: "",
    why: "S1, S8: the same item in two batches.",
  },
  {
    name: "a job with a task that cannot be loaded goes on",
    file: "answers",
    from: `settle(turn, batch.job, { outcome: "failed", fault: { kind: "broken" } });`,
    to: "",
    why: "L1: a load failure fails the job by name.",
  },
  {
    name: "there is one attempt more than was asked for",
    file: "retry",
    from: "attempt >= job.rules.retry.attempts",
    to: "attempt > job.rules.retry.attempts",
    why: "S9: attempts within bounds.",
  },
  {
    name: "a retry is planned by a clock that is not set",
    file: "retry",
    from: "turn.now + delayMs",
    to: "turn.clock + delayMs",
    why: "L1: NaN is never due.",
    wasReal: "Found in a trial before this engine: a retry path used an unset clock.",
  },
  {
    name: "a retry is due at once",
    file: "retry",
    from: "turn.now + delayMs",
    to: "turn.now",
    why: "The backoff is a promise to whatever the handler calls.",
  },
  {
    name: "backoff doubles without bound",
    file: "retry",
    from: "Math.min(rules.backoffMs * 2 ** Math.min(attempt - 1, MOST_DOUBLINGS), rules.maxBackoffMs)",
    to: "rules.backoffMs * 2 ** Math.min(attempt - 1, MOST_DOUBLINGS)",
    why: "S9: maxBackoffMs bounds it.",
  },
  {
    name: "jitter makes the wait longer",
    file: "retry",
    from: "1 - rules.jitter * luck",
    to: "1 + rules.jitter * luck",
    why: "S9: the bound on the wait is one.",
  },
  {
    name: "retries of a job that has ended keep the timer on",
    file: "life",
    from: `job.phase === "live" && dueAt(job) > now`,
    to: "dueAt(job) > now",
    why: "L2, L3: nothing is kept of a settled job.",
  },
  {
    name: "a job settles more than once",
    file: "life",
    from: `if (job.phase === "settled")
        return;
    const { state, out } = turn;`,
    to: "const { state, out } = turn;",
    why: "S4: exactly one settlement.",
  },
  {
    name: "a slot is kept for a job that has ended",
    file: "life",
    from: "slot.reservedFor = undefined;",
    to: ";",
    why: "Nothing gets in behind the slot's batch, for nobody's sake.",
    wasReal: "A slot that gave way to a job went on doing so after the job was cancelled.",
  },
  {
    name: "a job that has ended is still one that can be assigned",
    file: "life",
    from: `refresh(turn, job);
    out.push({ type: "settle"`,
    to: `out.push({ type: "settle"`,
    why: "S3, L3: its items go to threads.",
  },
  {
    name: "threads are not told that a job has ended",
    file: "life",
    from: "stop(turn, batch);",
    to: ";",
    why: "L4: they go on with it.",
  },
  {
    name: "a job is said to have stopped while threads are at it",
    file: "life",
    from: `if (job.batches.size === 0)
        out.push({ type: "stopped"`,
    to: `if (true)
        out.push({ type: "stopped"`,
    why: "`stopped` means that no thread touches the job any more.",
  },
  {
    name: "a job completes before its source has ended",
    file: "life",
    from: "job.sourceEnded && job.completed",
    to: "job.completed",
    why: "L6: the rest is never run.",
  },
  {
    name: "a warm-up completes while threads load",
    file: "life",
    from: "job.toWarm.size === 0 && job.batches.size === 0",
    to: "job.toWarm.size === 0",
    why: "warm() resolves with cold threads.",
  },
  {
    name: "a probe that brings no description is the last one",
    file: "life",
    from: `job.recipe.phase = "unknown";`,
    to: ";",
    why: "L1: all jobs of the task wait for a description that nobody brings.",
  },
  {
    name: "jobs that wait for a description are not told that there is none",
    file: "life",
    from: "refresh(turn, other);",
    to: ";",
    why: "L1: they have work, and nobody knows it.",
  },
  {
    name: "threads let go of a job, and it lingers",
    file: "life",
    from: "state.lingering--;",
    to: "",
    why: "L2: the engine never says that it is idle.",
  },
  {
    name: "nobody hears that a job has paused",
    file: "life",
    from: `out.push({ type: "paused", job: job.key });`,
    to: "",
    why: "pause() resolves when the threads have handed back.",
  },
  {
    name: "a source that had nothing for now is not asked again",
    file: "step",
    from: `settleIfComplete(turn, job);
            pullIfRoom(turn, job);`,
    to: "settleIfComplete(turn, job);",
    why: "L1: there is nothing else that would ask.",
  },
  {
    name: "reading makes no room",
    file: "step",
    from: `job.unread -= event.count;
            pullIfRoom(turn, job);`,
    to: "job.unread -= event.count;",
    why: "L1: the source waits for the reader, and the reader for the source.",
  },
  {
    name: "a description does not let jobs go on",
    file: "step",
    from: `for (const job of recipe.jobs) {
                refresh(turn, job);`,
    to: "for (const job of recipe.jobs) {",
    why: "L1: they have work, and nobody knows it.",
  },
  {
    name: "a pause leaves threads what they have",
    file: "step",
    from: `turn.out.push({ type: "revoke", batch, keep: 0, least: 0 });`,
    to: ";",
    why: "Items are begun after the pause.",
  },
  {
    name: "a pause of a job without threads has no answer",
    file: "step",
    from: `if (job.batches.size === 0)
                turn.out.push({ type: "paused"`,
    to: `if (false)
                turn.out.push({ type: "paused"`,
    why: "pause() resolves when the threads have handed back.",
    wasReal: "The second pause() of a job was never answered.",
  },
  {
    name: "a job that is resumed has no work",
    file: "step",
    from: `job.phase = "live";
            enter(turn, job);
            refresh(turn, job);`,
    to: `job.phase = "live";
            enter(turn, job);`,
    why: "L1: it has, and nobody knows it.",
  },
  {
    name: "a job that is resumed does not ask its source",
    file: "step",
    from: `deliverFound(turn, job);
            pullIfRoom(turn, job);`,
    to: `deliverFound(turn, job);`,
    why: "L1: there is nothing else that would ask.",
  },
  {
    name: "a job that is resumed keeps what was found",
    file: "step",
    from: `deliverFound(turn, job);
            pullIfRoom(turn, job);`,
    to: `pullIfRoom(turn, job);`,
    why: "L1: those items are never delivered.",
  },
  {
    name: "the engine says it is idle while threads are at it",
    file: "step",
    from: "state.jobs.size === 0 && state.lingering === 0",
    to: "state.jobs.size === 0",
    why: "L2: drain() resolves before the threads are idle.",
  },
  {
    name: "a timer that came early is not set again",
    file: "step",
    from: "state.armedFor = Infinity;",
    to: "",
    why: "L1: what was due is due for ever. Timers of Node may come a little early.",
  },
];
