/** Bugs in what a thread does before it can begin an item: the import of the task's module, and its setup. */
import type { PlantedBug } from "./planted-bug.js";

const file = "readiness";

export const readinessBugs: readonly PlantedBug[] = [
  {
    name: "a setup begins for a batch that has left while its module was imported",
    file,
    from: "if (this.#waiting.some((batch) => !batch.isStopped()))",
    to: "if (true)",
    why: "L1: one that computes for ever holds the thread with whatever comes next, and no batch is suspected.",
    wasReal: "It began for each batch whose module was imported, whether or not somebody had stopped it.",
  },
  {
    name: "a batch that is stopped leaves though its module is imported",
    file,
    from: `return this.#phase !== "importing";`,
    to: "return true;",
    why: "L1: a module that computes for ever holds the thread in the same way.",
    wasReal: "Only setups were thought of.",
  },
  {
    name: "a batch that comes when its module is there, and not set up, waits for ever",
    file,
    from: `else if (this.#phase === "imported")`,
    to: "else if (false)",
    why: "L1: nobody else will have it set up.",
  },
  {
    name: "a batch that comes during a setup has another one begun",
    file,
    from: `else if (this.#phase === "imported")`,
    to: `else if (this.#phase !== "importing")`,
    why: "S8: the first resource would be lost, and never torn down.",
  },
  {
    name: "a batch that comes during an import has another one begun",
    file,
    from: `if (this.#phase === "cold") {`,
    to: `if (this.#phase === "cold" || this.#phase === "importing") {`,
    why: "S8: the setup would run twice.",
  },
  {
    name: "a module whose import has failed is set up",
    file,
    from: `this.#phase = this.#phase === "importing" ? "cold" : "imported";`,
    to: `this.#phase = "imported";`,
    why: "S8: there is nothing to set up.",
  },
  {
    name: "a module whose setup has failed is imported again",
    file,
    from: `this.#phase = this.#phase === "importing" ? "cold" : "imported";`,
    to: `this.#phase = "cold";`,
    why: "S8: it is there.",
  },
  {
    name: "a setup that has failed is not tried again",
    file,
    from: `this.#phase === "importing" ? "cold" : "imported"`,
    to: `this.#phase === "importing" ? "cold" : "ready"`,
    why: "L1: the next job waits for ever.",
  },
  {
    name: "a batch goes on when its module is imported, and is not set up",
    file,
    from: `!batch.isStopped()))
            this.#setUp();`,
    to: `!batch.isStopped()))
            this.isSetUp();`,
    why: "S8: its items would run without their resource.",
  },
  {
    name: "a batch does not hear of a setup that has failed",
    file,
    from: "batch.fail(error);",
    to: `if (this.#phase === "cold") batch.fail(error);`,
    why: "L1: its job never settles.",
  },
  {
    name: "a setup begins for a batch that was stopped while its module was imported",
    file,
    from: "this.#waiting.some((batch) => !batch.isStopped())",
    to: "this.#waiting.length > 0",
    why: "It would begin for nobody.",
    equivalent: "Its thread is suspected, and set aside if the setup has no end: that costs a thread, and no promise.",
  },
];
