/** Errors that are too large, endless, or cannot be looked at. */
import { defineTask } from "@threadmill/workers";

const HUGE = 10_000_000;

/** By name, what a handler throws. Each is made anew, in the thread that throws it. */
const makers = {
  hugeMessage: () => new Error("m".repeat(HUGE)),
  hugeName: () => Object.assign(new Error("name"), { name: "n".repeat(HUGE) }),
  hugeCode: () => Object.assign(new Error("code"), { code: "c".repeat(HUGE) }),
  hugeStack: () => Object.assign(new Error("stack"), { stack: "s".repeat(HUGE) }),
  manyStackLines: () => Object.assign(new Error("lines"), { stack: "    at nowhere\n".repeat(10_000) }),
  longCauseChain: () => {
    let error = new Error("the first cause");
    for (let depth = 0; depth < 10_000; depth++) error = new Error(`cause ${depth}`, { cause: error });
    return error;
  },
  cyclicCause: () => {
    const error: Error & { cause?: unknown } = new Error("its own cause");
    error.cause = error;
    return error;
  },
  hugeCauses: () => new Error("outer", { cause: new Error("m".repeat(HUGE), { cause: new Error("m".repeat(HUGE)) }) }),
  manyErrors: () =>
    new AggregateError(
      Array.from({ length: 100_000 }, (_, at) => new Error(`error ${at}`)),
      "many",
    ),
  throwingGetters: () => {
    const error = new Error("unreadable");
    // The stack first: V8 makes it of name and message when it is asked for, or redefined.
    for (const key of ["stack", "name", "message", "cause", "code", "final"]) {
      Object.defineProperty(error, key, {
        get: () => {
          throw new Error(`no ${key}`);
        },
      });
    }
    return error;
  },
  throwingProxy: () => {
    const refuse = (): never => {
      throw new Error("not even looked at");
    };
    return new Proxy(new Error("behind a proxy"), {
      get: refuse,
      has: refuse,
      getPrototypeOf: refuse,
      ownKeys: refuse,
    });
  },
  revokedProxy: () => {
    const { proxy, revoke } = Proxy.revocable(new Error("gone"), {});
    revoke();
    return proxy;
  },
  messageIsAnObject: () => Object.assign(new Error("x"), { message: { toString: () => "m".repeat(HUGE) } }),
  messageIsASymbol: () => Object.assign(new Error("x"), { message: Symbol("m".repeat(HUGE)) }),
  nameIsASymbol: () => Object.assign(new Error("named by a symbol"), { name: Symbol("n") }),
  codeIsNoNumber: () => Object.assign(new Error("code"), { code: Number.NaN }),
  hugeTag: () => ({ [Symbol.toStringTag]: "t".repeat(HUGE) }),
  throwingTag: () => ({
    get [Symbol.toStringTag](): string {
      throw new Error("no tag");
    },
  }),
  hugeString: () => "s".repeat(HUGE),
  hugeSymbol: () => Symbol("s".repeat(HUGE)),
  hugeBigInt: () => 2n ** 100_000n,
  hugeArray: () => Array.from({ length: 1_000_000 }, (_, at) => at),
  throwingFunction: () =>
    Object.assign(() => undefined, {
      toString: () => {
        throw new Error("no text");
      },
    }),
} as const satisfies Readonly<Record<string, () => unknown>>;

export type BadError = keyof typeof makers;

export const BAD_ERRORS = Object.keys(makers) as readonly BadError[];

/** The same values, for sources on the main thread. */
export function makeBadError(which: BadError): unknown {
  return makers[which]();
}

function throwIt(which: BadError): never {
  throw makeBadError(which) as Error;
}

export function throwsBadly(which: BadError | "fine"): string {
  return which === "fine" ? which : throwIt(which);
}

export async function rejectsBadly(which: BadError): Promise<never> {
  await Promise.resolve();
  return throwIt(which);
}

export const failsBadly = defineTask({
  batch: (all: BadError[], ctx): string[] => {
    for (const [at, which] of all.entries()) ctx.fail(at, makeBadError(which));
    return all;
  },
});

export const setsUpBadly = defineTask({
  setup: (which: BadError): never => throwIt(which),
  item: (value: number): number => value,
});
