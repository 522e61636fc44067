/** What a planted bug is: one exact piece of the compiled scheduler, or of a thread's `readiness`, put out of order. */

export interface PlantedBug {
  /** What goes wrong, in words. */
  readonly name: string;
  /** The file, without its extension. */
  readonly file: string;
  /** What the compiled file says now, exactly once: when the code changes, its bug must follow. */
  readonly from: string;
  readonly to: string;
  /** Who would suffer from it, and so which rule must be broken. */
  readonly why: string;
  /** It was real once: what was wrong before it was fixed. */
  readonly wasReal?: string;
  /** Which kind of histories shows it. Default `swarm`: anything goes. */
  readonly profile?: "swarm" | "fairness";
  /** No history can tell it from the right code, and this is why. */
  readonly equivalent?: string;
}
