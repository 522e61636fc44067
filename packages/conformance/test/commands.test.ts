/**
 * Random lists of commands on the scheduler, played by hand beside a simple model of what its caller may expect, and
 * made as small as they can be when they fail. `THREADMILL_SEED` runs a seed again, with `THREADMILL_PATH` and
 * `THREADMILL_REPLAY_PATH` only what its shrinking has ended with, and `THREADMILL_RUNS` sets how many lists there are.
 *
 * Seeds lose their meaning when the code changes. What is to last is the corpus: shrunk lists that once failed.
 */
import { afterAll, describe, expect, test } from "vitest";
import { describeFailure, play, readCorpus, search } from "../src/commands/index.js";
import { Nursery, type PlantedBug, plantedBugs } from "../src/planted-bugs/index.js";
import { REAL_SCHEDULER } from "../src/simulator/index.js";

const seed = Number(process.env["THREADMILL_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const path = process.env["THREADMILL_PATH"];
const replayPath = process.env["THREADMILL_REPLAY_PATH"];
const runs = Number(process.env["THREADMILL_RUNS"] ?? 1_500);

const nursery = new Nursery();
afterAll(() => {
  nursery.dispose();
});

function bugNamed(name: string): PlantedBug {
  const bug = plantedBugs.find((one) => one.name === name);
  if (bug === undefined) throw new Error(`no such bug is on the list: ${name}`);
  return bug;
}

describe("whatever is done, one thing after the other", () => {
  test(`the scheduler agrees with the model (THREADMILL_SEED=${seed})`, () => {
    const report = search({
      seed,
      runs,
      ...(path === undefined ? {} : { path }),
      ...(replayPath === undefined ? {} : { replayPath }),
    });
    expect(describeFailure(report)).toBe("");
  });
});

const corpus = readCorpus(new URL("corpus/", import.meta.url));

describe("the corpus", () => {
  test("has entries", () => {
    expect(corpus.length).toBeGreaterThan(0);
  });

  test.each(corpus)("%s plays, and twice the same", (_, entry) => {
    const first = play(entry, REAL_SCHEDULER);
    expect(first.steps).toBeGreaterThan(0);
    expect(play(entry, REAL_SCHEDULER).traceHash).toBe(first.traceHash);
  });

  const planted = corpus.filter(([, { bug }]) => bug !== undefined);
  test.each(planted)("%s still shows what it was kept for", (_, entry) => {
    const scheduler = nursery.plant(bugNamed(entry.bug ?? ""));
    expect(() => play(entry, scheduler)).toThrow(/^[A-Z]\d+: /);
  });
});

describe("planted bugs have short counterexamples:", () => {
  test.each([
    ["items that were taken back stay in their batch too", 10],
    ["what a job has done counts after its end", 8],
    ["an answer is taken for that of the batch that runs", 10],
    ["a suspect is given back as well", 8],
    ["a final failure is tried again", 10],
    ["reading makes no room", 10],
    ["a warm-up forgets the slot whose thread died under it", 6],
  ])("%s", (name, most) => {
    const scheduler = nursery.plant(bugNamed(name));
    const report = search({ seed: 1, runs: 3_000, scheduler });
    expect(report.failure).toBeDefined();
    expect(report.failure?.history.commands.length).toBeLessThanOrEqual(most);
  });

  test("and the seed and paths that a failure prints lead to the same one", () => {
    const scheduler = nursery.plant(bugNamed("items that were taken back stay in their batch too"));
    const { failure } = search({ seed: 1, runs: 3_000, scheduler });
    const { path: end = "", replayPath: performed = "" } = failure ?? {};
    const again = search({ seed: 1, runs: 1, scheduler, path: end, replayPath: performed });
    expect(again.failure?.history).toEqual(failure?.history);
    expect(again.failure?.violation.message).toBe(failure?.violation.message);
  });
});
