/** A "model" that takes a moment to open, and stays warm in its thread. */
import { defineTask } from "@threadmill/workers";

export interface ModelOptions {
  readonly languages: readonly string[];
  /** Counts how often a model was opened, in memory that all threads share. */
  readonly opened: SharedArrayBuffer;
}

interface Model {
  classify(text: string): string;
}

async function openModel({ languages, opened }: ModelOptions): Promise<Model> {
  Atomics.add(new Int32Array(opened), 0, 1);
  const segmenters = languages.map((language) => new Intl.Segmenter(language, { granularity: "word" }));
  return {
    classify: (text) => {
      const counts = segmenters.map((segmenter) => [...segmenter.segment(text)].length);
      return languages[counts.indexOf(Math.min(...counts))] ?? "unknown";
    },
  };
}

export const classify = defineTask({
  setup: (options: ModelOptions) => openModel(options),
  maxBatchItems: 32,
  batch: (texts: string[], ctx) => texts.map((text) => ctx.resource.classify(text)),
});
