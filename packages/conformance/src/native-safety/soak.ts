/** Many children, some at a time, each from a seed of its own; and what there is to say of them all. */
import { Random } from "../random.js";
import { type ChildReport, runSeed } from "./run-child.js";

export interface NativeSafetyBudget {
  /** Children are started for so long… */
  readonly seconds: number;
  /** …and so many at the most. Default: any number. */
  readonly children?: number;
  /** The seed of the seeds. */
  readonly seed: number;
  /** Children at a time. Default 2. */
  readonly parallel?: number;
  /** Told of each violation as it is found. */
  readonly onViolation?: (text: string) => void;
}

export interface NativeSafetyFigures {
  children: number;
  /** Children in which native code was at work when their ending began. */
  endedInNativeCode: number;
  readonly forms: Record<string, number>;
  readonly actions: Record<string, number>;
  readonly endings: Record<string, number>;
  /** By exit code or signal. */
  readonly ends: Record<string, number>;
  readonly violations: string[];
}

export async function soakNativeSafety(budget: NativeSafetyBudget): Promise<NativeSafetyFigures> {
  const { seconds, children = Infinity, seed, parallel = 2, onViolation = () => undefined } = budget;
  const random = new Random(seed);
  const until = performance.now() + seconds * 1_000;
  const figures: NativeSafetyFigures = {
    children: 0,
    endedInNativeCode: 0,
    forms: {},
    actions: {},
    endings: {},
    ends: {},
    violations: [],
  };
  let started = 0;
  const runOn = async (): Promise<void> => {
    while (performance.now() < until && started < children) {
      started++;
      const report = await runSeed(random.below(2 ** 31));
      count(figures, report);
      for (const text of report.violations) onViolation(text);
    }
  };
  await Promise.all(Array.from({ length: parallel }, runOn));
  return figures;
}

function count(figures: NativeSafetyFigures, { plan, end, callsAtEnd, violations }: ChildReport): void {
  const { jobs, steps, suspend, lateSignal, reExit, isEarly, ending } = plan;
  figures.children++;
  if (callsAtEnd > 0) figures.endedInNativeCode++;
  add(
    figures.forms,
    jobs.map(({ form, addon }) => (form === "script" ? form : `${form} ${addon}`)),
  );
  add(figures.actions, [
    ...steps.map(({ act }) => act),
    ...(suspend === undefined ? [] : ["suspend"]),
    ...(lateSignal === undefined ? [] : ["late signal"]),
    ...(reExit === undefined ? [] : ["exit in an exit listener"]),
    ...(isEarly ? ["while threads start"] : []),
    ...jobs.filter(({ timeoutMs }) => timeoutMs !== undefined).map(() => "timeout"),
  ]);
  add(figures.endings, [ending.kind === "exit" ? `exit from ${ending.from}` : ending.kind]);
  add(figures.ends, [String(end)]);
  figures.violations.push(...violations);
}

function add(counts: Record<string, number>, names: readonly string[]): void {
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
}
