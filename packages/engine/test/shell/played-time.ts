/** Time that passes when a test says so: timers, immediates and the clock. To be given back by `vi.useRealTimers`. */
import { vi } from "vitest";

export function playTime(): void {
  vi.useFakeTimers({
    toFake: [
      "setTimeout",
      "clearTimeout",
      "setInterval",
      "clearInterval",
      "setImmediate",
      "clearImmediate",
      "performance",
    ],
  });
}
