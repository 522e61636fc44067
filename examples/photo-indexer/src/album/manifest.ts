import type { SamplePlan } from "./plan.js";

/** What was planted in a sample album: the answers to hold an index against. Paths as in the album, with `/`. */
export interface SampleManifest {
  readonly version: number;
  readonly seed: number;
  /** Files that show a picture, the copies included. */
  readonly pictures: number;
  /** Groups of files with the very same bytes. */
  readonly exact: readonly (readonly string[])[];
  /** Groups of files that show the same picture in different bytes. */
  readonly near: readonly (readonly string[])[];
  readonly broken: readonly string[];
}

export function manifestOf(plan: SamplePlan): SampleManifest {
  const paths = plan.plates.map(({ files }) => files);
  return {
    version: plan.version,
    seed: plan.seed,
    pictures: paths.reduce((sum, files) => sum + files.length, 0),
    exact: paths
      .filter((files) => files.some(({ kind }) => kind === "copy"))
      .map((files) => files.map(({ path }) => path)),
    near: paths
      .filter((files) => files.some(({ kind }) => kind !== "copy" && kind !== "original"))
      .map((files) => files.map(({ path }) => path)),
    broken: plan.broken.map(({ path }) => path),
  };
}

/** Groups of paths that an index claims to be duplicates, and the paths that it calls broken. */
export interface Findings {
  readonly exact: readonly (readonly string[])[];
  readonly near: readonly (readonly string[])[];
  readonly broken: readonly string[];
}

/** How well findings meet the truth. `missed` and `wrong` are listed, so that a failing test says which. */
export interface SampleScore {
  readonly exact: GroupScore;
  readonly near: GroupScore;
  readonly broken: GroupScore;
}

export interface GroupScore {
  readonly planted: number;
  readonly found: number;
  readonly missed: readonly string[];
  /** Claims that are not true. */
  readonly wrong: readonly string[];
}

/** Compares claims with the truth, pair by pair. */
export function scoreFindings(truth: SampleManifest, found: Findings): SampleScore {
  return {
    exact: score(pairs(truth.exact), pairs(found.exact)),
    near: score(pairs(truth.near), pairs(found.near)),
    broken: score(new Set(truth.broken), new Set(found.broken)),
  };
}

function score(truth: ReadonlySet<string>, claims: ReadonlySet<string>): GroupScore {
  const missed = [...truth].filter((one) => !claims.has(one));
  return {
    planted: truth.size,
    found: truth.size - missed.length,
    missed,
    wrong: [...claims].filter((one) => !truth.has(one)),
  };
}

function pairs(groups: readonly (readonly string[])[]): Set<string> {
  const all = new Set<string>();
  for (const group of groups) {
    const sorted = group.toSorted();
    sorted.forEach((a, i) => {
      for (const b of sorted.slice(i + 1)) all.add(`${a} = ${b}`);
    });
  }
  return all;
}
