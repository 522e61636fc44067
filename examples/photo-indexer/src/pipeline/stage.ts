import type { Engine, Outcome, RunOptions, TaskReference } from "@threadmill/engine";

/** A record, and how its item ended. */
export interface StageOutcome<Subject, Result> {
  readonly subject: Subject;
  readonly outcome: Outcome<Result>;
}

/**
 * One stage of a pipeline: a job whose source is the stage before, and whose outcomes are the source of the next. What
 * belongs to an item but need not travel to a thread waits here, by the item's index.
 *
 * Nothing is collected. The job pulls a record when its threads have room, and gives an outcome when the next stage asks
 * for one: a slow stage slows those before it down, and memory is bounded by what is in flight. Outcomes come as they
 * end, not in order.
 */
export async function* stage<Subject, Item, Result, Options>(
  engine: Engine,
  task: TaskReference<Item, Result, Options>,
  subjects: AsyncIterable<Subject>,
  itemOf: (subject: Subject) => Item,
  options: RunOptions<Item, Options>,
): AsyncGenerator<StageOutcome<Subject, Result>, void, undefined> {
  const inFlight = new Map<number, Subject>();
  async function* items(): AsyncGenerator<Item, void, undefined> {
    let index = 0;
    for await (const subject of subjects) {
      inFlight.set(index++, subject);
      yield itemOf(subject);
    }
  }
  const job = engine.run(task, items(), { ...options, onError: "collect", collect: false });
  for await (const outcome of job) {
    const subject = inFlight.get(outcome.index);
    inFlight.delete(outcome.index);
    if (subject === undefined) throw new Error(`an outcome came for item ${outcome.index}, which was not in flight`);
    yield { subject, outcome };
  }
}
