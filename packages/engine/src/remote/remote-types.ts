/** The options of a remote run: those of the engine that can travel. */
import type { RunOptions } from "../options.js";

/** Functions stay where they are: no `weigh`, and so no `maxInFlightBytes`. */
export type RemoteRunOptions<Item, Options> = Omit<RunOptions<Item, Options>, "weigh" | "maxInFlightBytes">;

/** Options are required where the task's are. */
export type RequiredOptions<Options> = undefined extends Options ? unknown : { readonly options: Options };
export type RunArguments<Item, Options> = undefined extends Options
  ? [options?: RemoteRunOptions<Item, Options>]
  : [options: RemoteRunOptions<Item, Options> & { readonly options: Options }];
