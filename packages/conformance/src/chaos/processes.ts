/** Programs for what a thread cannot contain, and for what is done to the process as a whole. */
import { cry } from "../fixtures/index.js";

/** Items that post to whatever port their thread can list. */
export const nonsenseOnAllPorts = `say(await engine.map(tasks.${cry.exportName}, [1, 2, 3]));`;

/** A job in which one item does something; it says how its failures were called. */
export function oneItem(deed: string): string {
  return `
    const job = engine.run(tasks.chaotic, items(10, (index) => ({ deed: index === 3 ? ${JSON.stringify(deed)} : "none" })), {
      onError: "collect",
      options: { log: log.shared },
    });
    const { values, failures } = await job.result;
    say({
      delivered: values.filter((value, index) => value?.index === index).length,
      failures: failures.map(({ index, error }) => [index, error.code, error.cause?.cause?.code ?? error.cause?.code]),
    });`;
}

/** Counts what the engine said of its threads, beside those that began. */
const WATCH = `
  const events = [];
  engine.on("thread", ({ type }) => type === "ready" || events.push(type));
  const run = (options) =>
    engine.run(tasks.logged, items(400, () => ({ act: "busy", succeedsAt: 1 })), {
      onError: "collect", options: { log: log.shared }, ...options,
    });
  const batch = (job) => new Promise((resolve) => job.once("batch", resolve));
  const threads = () => {
    const { threadsStarted, threadsLost, threadsStuck } = engine.stats();
    return { events, threadsStarted, threadsLost, threadsStuck };
  };`;

/** The process stands still in the middle of jobs. `timeoutMs`: less than it stands still. */
export function stopInJobs(rounds: number, timeoutMs?: number): string {
  return `${WATCH}
    let delivered = 0;
    const codes = [];
    for (let round = 0; round < ${rounds}; round++) {
      const job = run(${JSON.stringify({ timeoutMs })});
      await batch(job);
      stop();
      const { values, failures } = await job.result;
      delivered += values.filter((value, index) => value?.index === index).length;
      codes.push(...failures.map(({ error }) => error.code));
    }
    say({ delivered, codes, ...threads() });`;
}

/** The process stands still, or the main thread does, in the tick of a cancel: longer than the grace. */
export function pauseAfterCancel(rounds: number, pause: string): string {
  return `${WATCH}
    for (let round = 0; round < ${rounds}; round++) {
      const job = run();
      await batch(job);
      job.cancel();
      ${pause};
      await job.stopped;
    }
    const { values } = await run().result;
    say({ delivered: values.length, ...threads() });`;
}

/** The main thread stands still in the middle of a job, again and again. */
export function stallInJob(rounds: number, stallMs: number): string {
  return `${WATCH}
    const job = run({ timeoutMs: ${4 * stallMs} });
    for (let round = 0; round < ${rounds}; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      ${stall(stallMs)};
    }
    const { values } = await job.result;
    say({ delivered: values.filter((value, index) => value?.index === index).length, ...threads() });`;
}

export function stall(ms: number): string {
  return `for (const end = performance.now() + ${ms}; performance.now() < end;);`;
}
