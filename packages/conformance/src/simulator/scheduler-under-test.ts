/** The scheduler that is driven: the real one, or a copy of it with a bug planted. */
import * as real from "@threadmill/engine/internal/scheduler";

export interface SchedulerUnderTest {
  readonly step: typeof real.step;
  readonly createState: typeof real.createState;
  readonly indexAt: typeof real.indexAt;
  readonly attemptsOf: typeof real.attemptsOf;
  readonly lanesOf: typeof real.lanesOf;
}

export const REAL_SCHEDULER: SchedulerUnderTest = real;
