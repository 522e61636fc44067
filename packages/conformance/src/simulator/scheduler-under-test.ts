/** The code that is driven, of the scheduler and of a thread's runner: the real one, or a copy of it with a bug planted. */
import * as real from "@threadmill/engine/internal/scheduler";
import { Readiness } from "@threadmill/workers/runner";

export interface SchedulerUnderTest {
  readonly step: typeof real.step;
  readonly createState: typeof real.createState;
  readonly indexAt: typeof real.indexAt;
  readonly attemptsOf: typeof real.attemptsOf;
  readonly lanesOf: typeof real.lanesOf;
  /** In a thread: when its tasks are imported and set up, and for whom. */
  readonly Readiness: typeof Readiness;
}

const { step, createState, indexAt, attemptsOf, lanesOf } = real;

export const REAL_SCHEDULER: SchedulerUnderTest = { step, createState, indexAt, attemptsOf, lanesOf, Readiness };
