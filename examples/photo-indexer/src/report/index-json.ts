import { IndexerError } from "../errors.js";
import type { BrokenFile, GroupMember, PublishedPhoto } from "../catalog/records.js";

/** What both renderings of an index are made from. Photos can be gone through more than once. */
export interface IndexContent {
  readonly runId: number;
  readonly album: string;
  readonly model: string;
  readonly finishedAt: string;
  readonly photos: () => Iterable<PublishedPhoto>;
  /** By content. */
  readonly labels: ReadonlyMap<number, readonly string[]>;
  readonly groups: readonly (readonly GroupMember[])[];
  readonly broken: readonly BrokenFile[];
}

/** Raised when a reader of before would misread what is written now. */
const FORMAT = 1;

/**
 * `index.json`, for programs that do not want to open a database. One photo to a line, so that a difference between two
 * runs can be read; the run's number comes first, so that a few bytes tell whether the file is up to date.
 */
export function* renderIndexJson(content: IndexContent): Generator<string, void, undefined> {
  const { runId, album, model, finishedAt } = content;
  yield `{"run":${runId},"format":${FORMAT},"album":${JSON.stringify(album)},"model":${JSON.stringify(model)},"finishedAt":${JSON.stringify(finishedAt)},\n"photos":[`;
  const paths = new Map<number, string[]>();
  let separator = "\n";
  for (const { contentId, ...photo } of content.photos()) {
    const files = paths.get(contentId) ?? [];
    files.push(photo.path);
    paths.set(contentId, files);
    yield `${separator}${JSON.stringify({ ...photo, labels: content.labels.get(contentId) ?? [] })}`;
    separator = ",\n";
  }
  const exact = [...paths.values()].filter((files) => files.length > 1);
  const near = content.groups.map((group) =>
    group.map(({ contentId, score }) => ({
      score: Math.round(score * 10_000) / 10_000,
      files: paths.get(contentId) ?? [],
    })),
  );
  const broken = content.broken.map(({ path, code, reason }) => ({ path, code, reason }));
  yield `],\n"exactDuplicates":${lines(exact)},\n"nearDuplicates":${lines(near)},\n"broken":${lines(broken)}}\n`;
}

/** A photo as `index.json` shows it. */
export type IndexedPhoto = Omit<PublishedPhoto, "contentId"> & { readonly labels: readonly string[] };

/**
 * The photos of an `index.json` that our own renderer wrote, as its text comes in: a large index is never in memory as
 * one text. Lines end with a line feed and nothing else: names may hold what `node:readline` takes for an end too.
 *
 * @throws {IndexerError} `INDEX_DAMAGED`: it is cut short, of another version, or none of ours.
 */
export async function* photosOfIndexJson(text: AsyncIterable<string>): AsyncGenerator<IndexedPhoto, void, undefined> {
  const damaged = (problem: string): IndexerError =>
    new IndexerError("INDEX_DAMAGED", `index.json ${problem}; index the folder again`);
  let unfinished = "";
  let isOurs = false;
  for await (const chunk of text) {
    const finished = (unfinished + chunk).split("\n");
    unfinished = finished.pop() ?? "";
    for (const line of finished) {
      isOurs ||= line.startsWith('{"run":') && line.includes(`,"format":${FORMAT},`);
      if (!isOurs) throw damaged("is of another version, or none of ours");
      // Broken files come behind, and look alike.
      if (line.startsWith('"exactDuplicates":')) return;
      if (!line.startsWith('{"path":')) continue;
      let photo: Partial<IndexedPhoto> & PhotoLine;
      try {
        photo = JSON.parse(line.slice(0, line.lastIndexOf("}") + 1)) as typeof photo;
      } catch {
        throw damaged("is damaged");
      }
      // An index of before there were labels has none.
      yield { ...photo, labels: photo.labels ?? [] };
    }
  }
  throw damaged("is cut short");
}

type PhotoLine = Omit<IndexedPhoto, "labels">;

/** The number of the run that an `index.json` shows, from its first bytes; undefined where it is none of ours. */
export function runOfIndexJson(head: string): number | undefined {
  const digits = /^\{"run":(\d{1,15}),/.exec(head)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function lines(values: readonly unknown[]): string {
  return values.length === 0 ? "[]" : `[\n${values.map((value) => JSON.stringify(value)).join(",\n")}]`;
}
