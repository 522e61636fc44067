/** A clock that the test moves. */
export class Clock {
  ms = 1_000_000;
  readonly now = (): number => this.ms;

  pass(ms: number): void {
    this.ms += ms;
  }
}
