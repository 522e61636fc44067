/** Handlers, setups and teardowns that do not end by themselves, beside those of the fixtures. */
import { readFileSync } from "node:fs";
import { defineTask } from "@threadmill/workers";
import { Gate } from "../gate.js";

export interface Held {
  readonly gate: SharedArrayBuffer;
}

const never = (): Promise<never> => new Promise(() => undefined);

/** Says that it has come, and comes back at once. */
function arrive({ gate }: Held): Gate {
  const held = new Gate(gate);
  void held.pass();
  return held;
}

export const hangingSetup = defineTask({
  setup: (options: Held): Promise<never> => {
    arrive(options);
    return never();
  },
  item: (value: number) => value,
});

export const spinningSetup = defineTask({
  setup: ({ gate }: Held) => new Gate(gate).passSpinning(),
  item: (value: number) => value,
});

export const hangingTeardown = defineTask({
  setup: (options: Held) => arrive(options),
  item: (value: number) => value,
  teardown: never,
});

export const spinningTeardown = defineTask({
  setup: (options: Held) => arrive(options),
  item: (value: number) => value,
  teardown: (held) => held.passSpinning(),
});

/** Blocks in the system until somebody opens the other end of the pipe: no code of ours, and none of V8's, runs. */
export const inSystemCall = defineTask({
  item: ({ gate, pipe }: Held & { readonly pipe: string }): void => {
    arrive({ gate });
    readFileSync(pipe);
  },
});

/** Comes back, with an error, when it is told to stop. */
export const throwsAtAbort = defineTask({
  item: async ({ gate }: Held, ctx): Promise<void> => {
    arrive({ gate });
    await new Promise<void>((resolve) => ctx.signal.addEventListener("abort", () => resolve(), { once: true }));
    throw new Error("torn out of its work");
  },
});

/** Ends its thread, again and again. */
export const deadly = defineTask({
  item: ({ gate }: Held): void => {
    arrive({ gate });
    process.exit(1);
  },
});

export const failing = defineTask({
  item: ({ gate }: Held): void => {
    arrive({ gate });
    throw new Error("try again");
  },
});
