/** Measures the way through all photos, the same for all contestants. */
import { withLoopDelay } from "../harness/loop-delay.js";
import { finish, number } from "../harness/report.js";
import { elapsedMs } from "../harness/timing.js";
import { photosToDescribe } from "./find-photos.js";

/** Describes some photos to warm up, then all; reports, and ends the process. */
export async function measure(describeAll: (paths: readonly string[]) => Promise<readonly unknown[]>): Promise<never> {
  const paths = photosToDescribe();
  await describeAll(paths.slice(0, number("warmUps")));
  let described = 0;
  const cpuBefore = process.cpuUsage();
  const { value: ms, delay } = await withLoopDelay(() =>
    elapsedMs(async () => {
      const descriptions = await describeAll(paths);
      described = descriptions.filter((one) => one !== undefined).length;
    }),
  );
  const { user, system } = process.cpuUsage(cpuBefore);
  finish({
    photosPerSecond: (paths.length * 1_000) / ms,
    cpuMsPerPhoto: (user + system) / 1_000 / paths.length,
    loopDelayP99Ms: delay.p99Ms,
    loopDelayMaxMs: delay.maxMs,
    described,
  });
}
