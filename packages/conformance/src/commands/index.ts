/** The door of the command lists: histories played by hand, drawn and shrunk by fast-check. */
export { describeFailure, search } from "./search.js";
export { play } from "./stage.js";
export { readCorpus } from "./corpus.js";
