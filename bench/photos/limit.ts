/** What the machine could do: its cores, divided by the processor time of one photo, described one after the other. */
import { availableParallelism } from "node:os";
import { finish, number, text } from "../harness/report.js";
import { openDescriber } from "./describe-photo.js";
import { photosToDescribe } from "./find-photos.js";

const describe = await openDescriber(text("model"));
const paths = photosToDescribe();
for (const path of paths.slice(0, number("warmUps"))) await describe(path);
const before = process.cpuUsage();
let described = 0;
for (const path of paths) if ((await describe(path)) !== undefined) described++;
const { user, system } = process.cpuUsage(before);
const cpuMsPerPhoto = (user + system) / 1_000 / paths.length;
finish({
  photosPerSecond: (Math.min(number("threads"), availableParallelism()) * 1_000) / cpuMsPerPhoto,
  cpuMsPerPhoto,
  described,
});
