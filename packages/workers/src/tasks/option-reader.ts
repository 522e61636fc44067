/** Reads a task's options in `setup`: each is checked, named with its value and range when wrong, and none is unknown. */
import { InvalidArgumentError } from "@threadmill/protocol";

interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * One task's options, read one by one; `done` then refuses the names that nobody asked for, so that a misspelt option
 * is an error and not a default.
 */
export class OptionReader {
  readonly #task: string;
  readonly #options: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  /** @throws {InvalidArgumentError} `options` is neither absent nor an object. */
  constructor(task: string, options: unknown) {
    this.#task = task;
    if (options !== undefined && (typeof options !== "object" || options === null || Array.isArray(options))) {
      throw new InvalidArgumentError(`${task}: options must be an object, not ${show(options)}`);
    }
    this.#options = { ...options };
  }

  /** The raw value of an option that the caller checks itself. */
  raw(name: string): unknown {
    this.#known.add(name);
    return this.#options[name];
  }

  /** An object's options as a reader of their own (`pixels.width`), or undefined where it is absent. */
  nested(name: string): OptionReader | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : new OptionReader(`${this.#task}: ${name}`, value);
  }

  wholeNumber<Default extends number | undefined>(name: string, fallback: Default, range: Range): number | Default {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    const { min, max } = range;
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
      return this.refuse(name, value, `a whole number from ${min} to ${max}`);
    }
    return value as number;
  }

  number<Default extends number | undefined>(name: string, fallback: Default, range: Range): number | Default {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    const { min, max } = range;
    if (typeof value !== "number" || !(value >= min && value <= max)) {
      return this.refuse(name, value, `a number from ${min} to ${max}`);
    }
    return value;
  }

  oneOf<const Choice extends string, Default extends Choice | undefined>(
    name: string,
    choices: readonly Choice[],
    fallback: Default,
  ): Choice | Default {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    const choice = choices.find((candidate) => candidate === value);
    return choice ?? this.refuse(name, value, `one of ${choices.map((candidate) => `"${candidate}"`).join(", ")}`);
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    return typeof value === "boolean" ? value : this.refuse(name, value, "true or false");
  }

  string<Default extends string | undefined>(name: string, fallback: Default): string | Default {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    return typeof value === "string" && value !== "" ? value : this.refuse(name, value, "a string with text in it");
  }

  /** Throws that `name` must be something else. */
  refuse(name: string, value: unknown, wanted: string): never {
    throw new InvalidArgumentError(`${this.#task}: option ${name} must be ${wanted}, not ${show(value)}`);
  }

  /** Refuses every option that was given and never read. */
  done(): void {
    const unknown = Object.keys(this.#options).filter((name) => !this.#known.has(name));
    if (unknown.length === 0) return;
    const names = [...this.#known].join(", ");
    throw new InvalidArgumentError(`${this.#task}: unknown option ${unknown.join(", ")}; the options are ${names}`);
  }
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? `[${value.join(", ")}]` : "an object";
  return String(value);
}
