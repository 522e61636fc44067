/** What a benchmark is: parts, the programs that compete in each, what they report, and what is to be reached. */

/** Passed to a program on its command line, as JSON. */
export type Settings = Readonly<Record<string, number | string | boolean>>;

/** What one run of a program reports: numbers by name. */
export type Figures = Readonly<Record<string, number>>;

/** A column of the table. The first figure of a part is the one that ratios and the plot are about. */
export interface Figure {
  readonly name: string;
  /** Head of the column, with the unit. */
  readonly title: string;
  /** `neither`: a fact to state, such as a count. */
  readonly better: "lower" | "higher" | "neither";
}

export interface Contestant {
  readonly name: string;
  /** As the tables and plots say it: with the settings that matter. */
  readonly title: string;
  /** Compiled file that a fresh Node process runs. It calls `finish` once. */
  readonly program: URL;
  /** On top of the part's. */
  readonly settings?: Settings;
  /** On top of those, with `--quick`. */
  readonly quick?: Settings;
  readonly env?: Readonly<Record<string, string>>;
}

/** A number that a bar is about, made of the rounds' figures. */
export type Quantity =
  /** The median of one figure. */
  | { readonly kind: "figure"; readonly figure: string; readonly of: string }
  /**
   * How many times as fast (or, where less is better, how many times less) `of` is than the best of `against` in the same
   * round. Divided by `divisor`: the number of threads, where one thread is what it is compared with.
   */
  | {
      readonly kind: "speed";
      readonly figure: string;
      readonly of: string;
      readonly against: readonly string[];
      readonly divisor?: number;
    }
  /** The figure of `of` in relation to that of `against` in the same round, plainly divided. */
  | { readonly kind: "share"; readonly figure: string; readonly of: string; readonly against: string };

/** What is to be reached, and whether it was. */
export interface Bar {
  readonly text: string;
  readonly quantity: Quantity;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Part {
  readonly name: string;
  readonly title: string;
  /** Markdown: what is done, with which settings, and how it is warmed up. */
  readonly about: string;
  readonly figures: readonly [Figure, ...Figure[]];
  /** The first is the one that all others are compared with. */
  readonly contestants: readonly [Contestant, ...Contestant[]];
  readonly settings: Settings;
  readonly quick?: Settings;
  /** How often each contestant runs. Default 5. */
  readonly rounds?: number;
  readonly bars: readonly Bar[];
  /** Bars in the plot are as long as the logarithm, where contestants are orders of magnitude apart. */
  readonly logarithmic?: boolean;
  /** Work that is done once, before the first round: its answer joins the settings of all. */
  readonly prepare?: (context: PrepareContext) => Promise<Settings>;
}

export interface PrepareContext {
  readonly settings: Settings;
  /** A folder of photos that the user named. */
  readonly photos: string | undefined;
}

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  readonly parts: readonly Part[];
}
