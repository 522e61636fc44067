/** No thread but the main one. */
import { finish, number } from "../harness/report.js";
import { medianMs } from "../harness/timing.js";
import { checkRoots, sharedInput } from "./input.js";

const input = sharedInput(number("items"));

checkRoots(input, roots());
const ms = await medianMs(number("warmUps"), number("repeats"), () => Promise.resolve(roots()));
finish({ nsPerItem: (ms * 1e6) / input.length });

function roots(): Float32Array {
  const output = new Float32Array(new SharedArrayBuffer(input.byteLength));
  for (let at = 0; at < input.length; at++) output[at] = Math.sqrt(input[at] as number);
  return output;
}
