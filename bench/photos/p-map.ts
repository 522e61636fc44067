/** No threads but libuv's: p-map on the main thread. */
import pMap from "p-map";
import { number, text } from "../harness/report.js";
import { openDescriber } from "./describe-photo.js";
import { measure } from "./measure.js";

const describe = await openDescriber(text("model"));
await measure((paths) => pMap(paths, describe, { concurrency: number("concurrency") }));
