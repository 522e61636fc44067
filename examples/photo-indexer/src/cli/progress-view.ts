import type { RunProgress } from "../progress.js";
import { progressLine, progressLogLine } from "./progress-text.js";

/** Where progress goes: standard error, so that the answer on standard output can be piped. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressView {
  show(progress: RunProgress): void;
  /** Takes the bar away, so that other text can follow. */
  clear(): void;
}

/** A log gets a line this often; a terminal's bar moves with every report. */
const LOG_EVERY_MS = 5000;
const LOG_LATER_STAGE_MS = 1000;
const ERASE_LINE = "\r\u001b[K";

/**
 * A bar on a terminal, now and then a line elsewhere. Its own few lines rather than a package: the popular one has
 * seen no release for three years, and a bar is one line that is written over.
 *
 * @param quiet show nothing at all.
 */
export function createProgressView(stream: TextStream, quiet: boolean): ProgressView {
  if (quiet) return { show: () => {}, clear: () => {} };
  if (stream.isTTY !== true) return logView(stream);
  let shown = false;
  return {
    show: (progress) => {
      shown = true;
      // A terminal that does not know its width says 0.
      stream.write(ERASE_LINE + progressLine(progress, stream.columns || 80));
    },
    clear: () => {
      if (shown) stream.write(ERASE_LINE);
      shown = false;
    },
  };
}

function logView(stream: TextStream): ProgressView {
  let stage: string | undefined;
  let nextAt = 0;
  return {
    show: (progress) => {
      if (progress.stage !== stage) {
        // The first line comes at once, since someone is waiting to see that something happens; that of a later stage
        // only if it lasts, since most are over in a moment.
        nextAt = stage === undefined ? 0 : LOG_LATER_STAGE_MS;
        stage = progress.stage;
      }
      if (progress.elapsedMs < nextAt) return;
      nextAt = progress.elapsedMs + LOG_EVERY_MS;
      stream.write(`${progressLogLine(progress)}\n`);
    },
    clear: () => {},
  };
}
