/**
 * ONNX Runtime reports how it is used to its maker, since 1.29 also on Linux, unless it is told not to: which model, on
 * what machine, for how long, under an id that it keeps in the home folder. That is not for an indexer of somebody's
 * photos to do unasked. It asks the environment of the process, which a thread cannot change: hence here, early.
 */
process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
