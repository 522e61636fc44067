/** What the suite is run against: a way to make engines, and what cannot be asked of them. */
import type { Engine, EngineOptions } from "@threadmill/engine";

export interface Subject {
  /** An engine as the runner under test makes it; options that are given win. */
  readonly createEngine: (options?: EngineOptions) => Engine;
  /** Handlers that can run at once. */
  readonly slots: number;
  /** Why something cannot be tested here. What is not named can. */
  readonly lacks: {
    /** Handlers run in threads of their own: they may block, die and hang. */
    readonly ownThreads?: string;
    /** Engines can be made in a child process, by this argument to `createEngine`. */
    readonly childProcess?: string;
  };
  /** Tests, or whole groups of them, that cannot hold here, by their full name from the first `describe` of the suite on, with the reason. */
  readonly skips?: Readonly<Record<string, string>>;
  /** The options that make the same engine in a child process. */
  readonly engineOptions: EngineOptions;
}
