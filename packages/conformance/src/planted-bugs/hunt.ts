/** Looks for planted bugs with the simulator: how many seeds does each need? */
import { simulate } from "../simulator/index.js";
import { Nursery } from "./plant.js";
import type { PlantedBug } from "./planted-bug.js";

export interface HuntOptions {
  readonly firstSeed: number;
  /** Seeds to try before the bug counts as a survivor. */
  readonly seeds: number;
}

/** One row of the table of planted bugs. */
export interface Hunt {
  readonly name: string;
  readonly file: string;
  /** Seeds that it took; undefined if it has survived them all. */
  readonly seedsNeeded: number | undefined;
  /** What gave it away. */
  readonly violation: string | undefined;
}

/** Plays one seed after the other on a scheduler with the bug in it, until one shows. */
export function hunt(bug: PlantedBug, nursery: Nursery, { firstSeed, seeds }: HuntOptions): Hunt {
  const { name, file, profile = "swarm" } = bug;
  const scheduler = nursery.plant(bug);
  for (let tried = 0; tried < seeds; tried++) {
    const [violation] = simulate(firstSeed + tried, { scheduler, profile }).violations;
    if (violation !== undefined) return { name, file, seedsNeeded: tried + 1, violation };
  }
  return { name, file, seedsNeeded: undefined, violation: undefined };
}

/** The whole table, for the docs and for long runs. */
export function huntAll(bugs: readonly PlantedBug[], options: HuntOptions): readonly Hunt[] {
  const nursery = new Nursery();
  const hunts: Hunt[] = [];
  try {
    for (const bug of bugs) hunts.push(hunt(bug, nursery, options));
  } finally {
    nursery.dispose();
  }
  return hunts;
}
