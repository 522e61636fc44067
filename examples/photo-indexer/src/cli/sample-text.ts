import type { GroupScore, SampleScore } from "../album/manifest.js";

/** A line that holds the findings against what was planted, and the exceptions by name. */
export function sampleText(score: SampleScore): string {
  const part = (name: string, { planted, found }: GroupScore): string => `${found} of ${planted} ${name}`;
  const parts = [
    part("exact copies", score.exact),
    part("near duplicates", score.near),
    part("broken files", score.broken),
  ];
  const missed = [score.exact, score.near, score.broken].flatMap((one) =>
    one.missed.map((name) => `  missed: ${name}`),
  );
  const wrong = [score.exact, score.near, score.broken].flatMap((one) => one.wrong.map((name) => `  false: ${name}`));
  const last = wrong.length === 0 ? "and nothing that is none" : `and ${wrong.length} that are none`;
  return (
    [`Of what was planted in the sample album: ${parts.join(", ")}, ${last}.`, ...missed, ...wrong].join("\n") + "\n"
  );
}
