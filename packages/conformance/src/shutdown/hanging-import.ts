/** A task module that is never done loading. */
await new Promise(() => undefined);

export default (value: number): number => value;
