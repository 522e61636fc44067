/** The photo's description as a task of Threadmill's, and as a handler of Piscina's. */
import { defineTask } from "@threadmill/workers";
import { openDescriber, type DescribePhoto, type PhotoDescription } from "./describe-photo.js";

export interface DescribeOptions {
  readonly model: string;
}

export const describe = defineTask({
  setup: ({ model }: DescribeOptions) => openDescriber(model),
  native: true,
  item: async (path: string, ctx): Promise<PhotoDescription | undefined> => {
    const description = await ctx.resource(path);
    if (description !== undefined) ctx.transfer(description.thumbnail);
    return description;
  },
});

let opened: Promise<DescribePhoto> | undefined;

/** Piscina has no setup: the model is loaded at the first call. */
export async function describeOne({ path, model }: { path: string; model: string }): Promise<unknown> {
  opened ??= openDescriber(model);
  return (await opened)(path);
}
