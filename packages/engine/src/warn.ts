/** Process warnings about the caller's code, where nobody is left whom its error could reach. */

export function warn(code: string, what: string, error: unknown): void {
  process.emitWarning(`${what}: ${textOf(error)}`, { code });
}

/** What was thrown may be anything, also something that throws when it is looked at. */
function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? (error.stack ?? error.message) : error);
  } catch {
    return "a value that cannot be shown";
  }
}
