/** A binary heap that can find and move its members: who is next, when the order of any of them may change. */

export class Heap<Member extends object> {
  readonly #isBefore: (a: Member, b: Member) => boolean;
  readonly #members: Member[] = [];
  /** Made for the first member: there may be many thousands of heaps that never have one. */
  #places: Map<Member, number> | undefined;

  constructor(isBefore: (a: Member, b: Member) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#members.length;
  }

  get first(): Member | undefined {
    return this.#members[0];
  }

  has(member: Member): boolean {
    return this.#places?.has(member) === true;
  }

  /** Puts the member in, or to its new place when what it is ordered by has changed. */
  put(member: Member): void {
    this.#places ??= new Map();
    let place = this.#places.get(member);
    if (place === undefined) {
      place = this.#members.length;
      this.#members.push(member);
    }
    this.#sink(this.#rise(place));
  }

  remove(member: Member): void {
    const place = this.#places?.get(member);
    if (place === undefined) return;
    this.#places?.delete(member);
    const last = this.#members.pop() as Member;
    if (last === member) return;
    this.#set(place, last);
    this.#sink(this.#rise(place));
  }

  #set(place: number, member: Member): void {
    this.#members[place] = member;
    this.#places?.set(member, place);
  }

  #rise(from: number): number {
    let place = from;
    const member = this.#members[place] as Member;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#members[above] as Member;
      if (!this.#isBefore(member, parent)) break;
      this.#set(place, parent);
      place = above;
    }
    this.#set(place, member);
    return place;
  }

  #sink(from: number): void {
    let place = from;
    const member = this.#members[place] as Member;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#members.length) break;
      if (
        below + 1 < this.#members.length &&
        this.#isBefore(this.#members[below + 1] as Member, this.#members[below] as Member)
      ) {
        below++;
      }
      const child = this.#members[below] as Member;
      if (!this.#isBefore(child, member)) break;
      this.#set(place, child);
      place = below;
    }
    this.#set(place, member);
  }
}
