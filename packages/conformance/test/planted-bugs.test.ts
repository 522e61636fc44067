/**
 * Is the simulator any good? Each test breaks the scheduler in one place, and the simulator has to notice. What it does
 * not notice is named, with the reason why no history can show it.
 */
import { afterAll, describe, expect, test } from "vitest";
import { Nursery, hunt, plantedBugs } from "../src/planted-bugs/index.js";

/** Most need fewer than ten; the last one found sets the budget. */
const SEEDS = 10_000;

const nursery = new Nursery();
afterAll(() => {
  nursery.dispose();
});

describe("the list", () => {
  test("has each name once", () => {
    const names = plantedBugs.map(({ name }) => name);
    expect(names.filter((name, place) => names.indexOf(name) !== place)).toEqual([]);
  });

  test.each([
    ...["admit", "found", "supply", "work", "size", "ranges", "assign", "balance", "heap", "share", "state"],
    ...["answers", "retry", "life", "step", "threads", "clock", "readiness"],
  ])("breaks %s", (file) => {
    expect(plantedBugs.some((bug) => bug.file === file && bug.equivalent === undefined)).toBe(true);
  });
});

const hunted = plantedBugs.filter(({ equivalent }) => equivalent === undefined);
const hidden = plantedBugs.filter(({ equivalent }) => equivalent !== undefined);

describe("the simulator notices that", () => {
  test.each(hunted.map((bug) => [bug.name, bug] as const))("%s", (_, bug) => {
    const { seedsNeeded } = hunt(bug, nursery, { firstSeed: 1, seeds: SEEDS });
    expect(seedsNeeded, `${bug.file}.js has survived ${SEEDS} seeds. ${bug.why}`).toBeDefined();
  });
});

/** As they are marked. A bug that shows after all has lost its mark, and belongs among those above. */
const SEEDS_TO_HIDE = 60;

describe("the simulator does not notice that", () => {
  test.each(hidden.map((bug) => [bug.name, bug.equivalent, bug] as const))("%s (nobody can: %s)", (_, __, bug) => {
    expect(hunt(bug, nursery, { firstSeed: 1, seeds: SEEDS_TO_HIDE }).violation).toBeUndefined();
  });
});
