/** A promise that was broken. `invariant` is its name in the design (S1, L2, …), the message says how. */
export class Violation extends Error {
  static {
    this.prototype.name = "Violation";
  }
  readonly invariant: string;
  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

/** Says that a promise was broken. Apart, so that the checks themselves stay small. */
export function broken(invariant: string, message: string): never {
  throw new Violation(invariant, message);
}
