/** What two equal runs must have in common: a rolling hash of all that happened; as text only where it is asked for. */
import type { Batch, Effect, SchedulerEvent } from "@threadmill/engine/internal/scheduler";

export class Trace {
  #hash = 0x811c9dc5;
  /** Undefined unless the run is to be read by a person. */
  readonly script: string[] | undefined;

  constructor(isRecorded: boolean) {
    this.script = isRecorded ? [] : undefined;
  }

  get hash(): number {
    return this.#hash >>> 0;
  }

  /** A line that only a person reads. */
  say(now: number, text: string): void {
    this.script?.push(`${time(now)} ${text}`);
  }

  event(event: SchedulerEvent, now: number): void {
    this.#mix(nameOf(event.type) ^ Math.round(now * 64));
    if ("job" in event) this.#mix(event.job);
    if ("slot" in event) this.#mix((event.slot << 16) ^ event.incarnation);
    if ("batch" in event) this.#mix(event.batch);
    if (event.type === "done") this.#mix((event.claimed << 8) ^ (event.faults?.length ?? 0));
    else if (event.type === "revoked") this.#mix(event.from);
    else if (event.type === "items" || event.type === "read") this.#mix(event.count);
    if (event.type === "items" || event.type === "awaited") {
      for (const { start, count } of event.sorting?.toRun ?? []) this.#mix((start << 16) ^ count);
    }
    if (this.script !== undefined) this.say(now, `  > ${textOf(event)}`);
  }

  effect(effect: Effect, now: number): void {
    this.#mix(nameOf(effect.type));
    switch (effect.type) {
      case "assign":
      case "stop":
      case "revoke":
      case "commit": {
        const { batch } = effect;
        this.#mix((batch.slot.index << 24) ^ (batch.number << 8) ^ batch.job.key);
        this.#mix(batch.count ^ (typeof batch.indices === "number" ? batch.indices << 8 : batch.indices.length << 16));
        break;
      }
      case "arm":
        this.#mix(effect.at === undefined ? -1 : Math.round(effect.at * 64));
        break;
      case "replace":
      case "restart":
        this.#mix((effect.slot << 16) ^ effect.incarnation);
        break;
      default:
        if ("job" in effect) this.#mix(effect.job);
        if ("index" in effect) this.#mix(effect.index);
    }
    if (this.script !== undefined) this.say(now, `    < ${textOf(effect)}`);
  }

  #mix(word: number): void {
    this.#hash = Math.imul(this.#hash ^ word, 0x01000193);
    this.#hash ^= this.#hash >>> 15;
  }
}

/** Names differ in their ends or their length. */
function nameOf(type: string): number {
  return (type.length << 16) ^ (type.charCodeAt(0) << 8) ^ type.charCodeAt(type.length - 1);
}

function time(now: number): string {
  return now.toFixed(3).padStart(10);
}

/** As plain text; batches are named by slot and number. */
function textOf(value: Effect | SchedulerEvent): string {
  const { type, ...rest } = value;
  if (type === "submit") return `submit job=${value.job} recipe=${value.recipe} supplied=${value.supplied}`;
  const details = Object.entries(rest).map(([key, one]) => `${key}=${detail(one)}`);
  return [type, ...details].join(" ");
}

function detail(value: unknown): string {
  if (value instanceof Set) return `{${[...(value as Set<unknown>)].join(",")}}`;
  if (typeof value === "object" && value !== null && "slot" in value && "number" in value) {
    const batch = value as Batch;
    const items = typeof batch.indices === "number" ? `from ${batch.indices}` : `[${batch.indices.join(",")}]`;
    return `(slot ${batch.slot.index} #${batch.number} job ${batch.job.key}: ${batch.count} ${items}${batch.isAlone ? " alone" : ""})`;
  }
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "-");
}
