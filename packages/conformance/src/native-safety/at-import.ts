/** A task module that loads its addon while it is imported: which one, its URL says. */
import { type ItemContext, defineTask } from "@threadmill/workers";
import { openAddon } from "./addons.js";
import { InFlight } from "./in-flight.js";
import type { Addon } from "./plan.js";
import type { NativeOptions, NativeTask } from "./tasks.js";

const addon = new URL(import.meta.url).searchParams.get("addon") as Addon;
const native = await openAddon(addon);

export const atImport: NativeTask = defineTask({
  item: async (_index: number, ctx: ItemContext<undefined, NativeOptions>) => {
    await new InFlight(ctx.options.inFlight).during(() => native.call(ctx.options.callMs));
  },
});
