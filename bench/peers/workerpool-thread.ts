/** A thread of workerpool: registers what the module exports. */
import workerpool from "workerpool";
import { exportsToServe } from "./exports-to-serve.js";

workerpool.worker(await exportsToServe());
