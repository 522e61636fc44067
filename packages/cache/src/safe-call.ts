/** Calls what users handed in to be told of something: what it throws is a process warning, and harms nobody else. */

export function callSafely<Arguments extends unknown[]>(
  callback: (...args: Arguments) => unknown,
  ...args: Arguments
): void {
  try {
    const answer = callback(...args);
    // An async listener fails later, and its rejection would end the process.
    if (answer instanceof Promise) answer.catch(report);
  } catch (error) {
    report(error);
  }
}

/** What was thrown may be anything, also something that throws when it is looked at. */
function report(error: unknown): void {
  let text: string;
  try {
    text = String(error instanceof Error ? (error.stack ?? error.message) : error);
  } catch {
    text = "a value that cannot be shown";
  }
  process.emitWarning(`a listener threw: ${text}`, { code: "THREADMILL_LISTENER" });
}
