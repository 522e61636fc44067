/** The door of the planted bugs: a list of ways to break the code under test, and the code with one of them in it. */
import { admissionBugs } from "./admission.js";
import { endingBugs } from "./endings.js";
import type { PlantedBug } from "./planted-bug.js";
import { readinessBugs } from "./readiness-bugs.js";
import { sharingBugs } from "./sharing.js";
import { threadBugs } from "./thread-bugs.js";

export type { PlantedBug } from "./planted-bug.js";

export const plantedBugs: readonly PlantedBug[] = [
  ...admissionBugs,
  ...sharingBugs,
  ...endingBugs,
  ...threadBugs,
  ...readinessBugs,
];
export { hunt, huntAll } from "./hunt.js";
export { Nursery } from "./plant.js";
