import type { Outcome } from "@threadmill/engine";

/** A record, and how its item ended. */
export interface StageOutcome<Subject, Result> {
  readonly subject: Subject;
  readonly outcome: Outcome<Result>;
}

/** How a job runs as a stage: it goes on past failures, and its outcomes are only read, by the next stage. */
export const AS_STAGE = { onError: "collect", collect: false } as const;

/**
 * One stage of a pipeline: a job whose source is the stage before, and whose outcomes are the source of the next. What
 * belongs to an item but need not travel to a thread waits here, by the item's index.
 *
 * Nothing is collected. The job pulls a record when its threads have room, and gives an outcome when the next stage asks
 * for one: a slow stage slows those before it down, and memory is bounded by what is in flight. Outcomes come as they
 * end, not in order.
 *
 * @param run starts the job, with {@link AS_STAGE} among its options.
 */
export async function* stage<Subject, Item, Result>(
  subjects: AsyncIterable<Subject>,
  itemOf: (subject: Subject) => Item,
  run: (items: AsyncIterable<Item>) => AsyncIterable<Outcome<Result>>,
): AsyncGenerator<StageOutcome<Subject, Result>, void, undefined> {
  const inFlight = new Map<number, Subject>();
  async function* items(): AsyncGenerator<Item, void, undefined> {
    let index = 0;
    for await (const subject of subjects) {
      inFlight.set(index++, subject);
      yield itemOf(subject);
    }
  }
  for await (const outcome of run(items())) {
    const subject = inFlight.get(outcome.index);
    inFlight.delete(outcome.index);
    if (subject === undefined) throw new Error(`an outcome came for item ${outcome.index}, which was not in flight`);
    yield { subject, outcome };
  }
}
