/** In a thread that was told by `workerData` which exports of which module it serves. */
import { workerData } from "node:worker_threads";

type Handler = (argument: unknown) => unknown;

export async function exportsToServe(): Promise<Record<string, Handler>> {
  const { module, names } = workerData as { module: string; names: readonly string[] };
  const loaded = (await import(module)) as Record<string, Handler>;
  return Object.fromEntries(names.map((name) => [name, loaded[name] as Handler]));
}
