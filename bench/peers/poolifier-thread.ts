/** A thread of Poolifier: registers what the module exports. */
import { ThreadWorker } from "poolifier";
import { exportsToServe } from "./exports-to-serve.js";

export default new ThreadWorker(await exportsToServe());
