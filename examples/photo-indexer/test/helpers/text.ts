import { expect } from "vitest";

/** Any text that holds this one, in the place of a text that is compared. Typed, which the matcher itself is not. */
export function containing(text: string): string {
  return expect.stringContaining(text) as string;
}

/** Any text that this expression fits. */
export function matching(expression: RegExp): string {
  return expect.stringMatching(expression) as string;
}
