/** Tasks with native code in them, one per form of a plan's jobs. */
import { type ItemContext, type Task, defineTask } from "@threadmill/workers";
import { type NativeWork, openAddon } from "./addons.js";
import { InFlight } from "./in-flight.js";
import type { Addon, JobPlan } from "./plan.js";

export interface NativeOptions extends Pick<JobPlan, "addon" | "callMs" | "isDeaf" | "hasTeardown" | "arrivesFirst"> {
  /** See {@link InFlight}. */
  readonly inFlight: SharedArrayBuffer;
}

export type NativeTask = Task<number, void, NativeOptions>;

/** What a setup keeps for its teardown. */
interface Kept {
  readonly options: NativeOptions;
  readonly native: NativeWork;
}

/** Calls in one item of a handler that takes no notice of a cancel. */
const DEAF_CALLS = 2;

async function callIn(ctx: ItemContext<unknown, NativeOptions>, call: () => unknown): Promise<void> {
  const inFlight = new InFlight(ctx.options.inFlight);
  for (let left = ctx.options.isDeaf ? DEAF_CALLS : 1; left > 0; left--) {
    await inFlight.during(call);
    if (!ctx.options.isDeaf) ctx.throwIfCancelled();
  }
}

const kept = {
  setup: async (options: NativeOptions): Promise<Kept> => {
    const native = await openAddon(options.addon);
    // As applications do: the first call is the slowest, and nobody shall wait for it later.
    await new InFlight(options.inFlight).during(() => native.call(options.callMs));
    return { options, native };
  },
  teardown: async ({ options, native }: Kept): Promise<void> => {
    if (options.hasTeardown) await native.call(options.callMs);
    await native.release();
  },
  item: (_index: number, ctx: ItemContext<Kept, NativeOptions>): Promise<void> =>
    callIn(ctx, () => ctx.resource.native.call(ctx.options.callMs)),
};

/** The addon is loaded, and the model opened, by the setup. */
export const setup: NativeTask = defineTask(kept);

/** The task says of itself that it is native, since its thread had the addon before. */
export const preloaded: NativeTask = defineTask({ ...kept, native: true });

export const batch: NativeTask = defineTask({
  setup: kept.setup,
  teardown: kept.teardown,
  maxBatchItems: 4,
  batch: async (indices: number[], ctx) => {
    const inFlight = new InFlight(ctx.options.inFlight);
    for (const _ of indices) await inFlight.during(() => ctx.resource.native.call(ctx.options.callMs));
    return indices.map(() => undefined);
  },
});

const opened = new Map<Addon, Promise<NativeWork>>();
/** For handlers that have no setup: opened by the first call, and kept by the module. */
function lazily(addon: Addon): Promise<NativeWork> {
  let native = opened.get(addon);
  if (native === undefined) opened.set(addon, (native = openAddon(addon)));
  return native;
}

export const handler: NativeTask = defineTask({
  item: async (_index: number, ctx: ItemContext<undefined, NativeOptions>) => {
    const { addon, arrivesFirst = false, inFlight } = ctx.options;
    if (arrivesFirst) new InFlight(inFlight).arrive();
    const native = await lazily(addon);
    await callIn(ctx, () => native.call(ctx.options.callMs));
  },
});

/** The thread had the addon before, and the handler says at each call that it is native. */
export const preloadedByCall: NativeTask = defineTask({
  item: async (_index: number, ctx: ItemContext<undefined, NativeOptions>) => {
    const native = await ctx.native(() => lazily(ctx.options.addon));
    await callIn(ctx, () => ctx.native(() => native.call(ctx.options.callMs)));
  },
});

/** Native code that never returns, as far as anyone can tell. */
export const endless: NativeTask = defineTask({
  native: true,
  item: async (_index: number, ctx: ItemContext<undefined, NativeOptions>) => {
    await new InFlight(ctx.options.inFlight).during(() => {
      for (;;);
    });
  },
});

/** No native code at all, and perhaps no end: its thread is terminated beside those that must not be. */
export const script: NativeTask = defineTask({
  native: false,
  item: (_index: number, ctx: ItemContext<undefined, NativeOptions>): void => {
    const { isDeaf, callMs, inFlight } = ctx.options;
    new InFlight(inFlight).arrive();
    const end = performance.now() + callMs;
    while (isDeaf || performance.now() < end) if (!isDeaf) ctx.throwIfCancelled();
  },
});
