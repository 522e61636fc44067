/**
 * Calls in both directions over one wire, by Comlink, with what Comlink leaves open:
 *
 * - A call whose other side has died is pending for ever there. Here every call settles, with `ENGINE_CLOSED`.
 * - Its `expose` follows any path through the object (`constructor.constructor`, `__proto__`), and throws inside the
 *   message listener at what is no message of its own. Here only calls of named methods with plain arguments pass.
 * - Its proxies of objects and its handlers for transfer send ports, which not every port can carry, and the table of
 *   handlers belongs to the whole program. Here neither is used: what crosses is data, errors as records.
 * - It registers each proxy for finalisation, and makes one for each property that is read. Here they are made once.
 */
import { ThreadmillError } from "@threadmill/protocol";
import { expose, wrap } from "comlink";
import { REMOTE_VERSION } from "./messages.js";
import { type Answer, AnswerSide, CallSide, refusal } from "./comlink-sides.js";
import { fromWireReason, lostError, notSentError } from "./reasons.js";
import { type Endpoint, type Wire, openWire } from "./wire.js";

/** Methods that the other side may call. */
type Face = { readonly [Name in string]: (...args: never[]) => unknown };
type Faced<Peer> = { readonly [Name in keyof Peer]: (...args: never[]) => unknown };

/** Other messages on the same endpoint are none of ours. */
const TAG = "threadmill.remote";
type FrameKind = "call" | "answer" | "bye";

export interface ConnectionInit<Own, Made> {
  readonly endpoint: Endpoint;
  /** Makes what the other side may call. */
  readonly makeOwn: (connection: Made) => Own;
  readonly ownMethods: readonly (keyof Own & string)[];
  /** Once. Every call has been rejected by then. */
  readonly onOver: (error: Error) => void;
  /** Called when a message of ours cannot be cloned; answers one that can, if there is one. */
  readonly mend?: (message: object) => object | undefined;
}

export class Connection<Own extends Faced<Own>, Peer extends Faced<Peer>> {
  readonly wire: Wire;
  readonly #calls: CallSide;
  readonly #answers: AnswerSide;
  readonly #onOver: (error: Error) => void;
  readonly #pending = new Set<(error: Error) => void>();
  readonly #methods = new Map<string, (...args: unknown[]) => Promise<unknown>>();
  readonly #peer: Face;
  #over: Error | undefined;

  constructor({ endpoint, makeOwn, ownMethods, onOver, mend }: ConnectionInit<Own, Connection<Own, Peer>>) {
    this.#onOver = onOver;
    const post = (kind: FrameKind, message: object): void => {
      if (this.#over !== undefined) return;
      try {
        this.wire.post([TAG, REMOTE_VERSION, kind, message]);
      } catch (error) {
        const mended = mend?.(message);
        if (mended === undefined) throw error;
        this.wire.post([TAG, REMOTE_VERSION, kind, mended]);
      }
    };
    this.#calls = new CallSide((message) => post("call", message));
    this.#answers = new AnswerSide(ownMethods, (message) => post("answer", message));
    this.#peer = wrap(this.#calls as never) as unknown as Face;
    expose(guarded(makeOwn(this), ownMethods), this.#answers);
    this.wire = openWire(endpoint, {
      onMessage: (message) => this.#receive(message),
      onGone: (why) => this.end(lostError(why), false),
      onUnreadable: () => this.end(lostError("a message came that cannot be read"), true),
    });
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** How many calls wait for their answer. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Calls a method of the other side. Rejects with what that threw, with the error of the end if it comes first, or with
   * `NOT_CLONEABLE` if it could not be sent.
   */
  call<Name extends keyof Peer & string>(
    name: Name,
    ...args: Parameters<Peer[Name]>
  ): Promise<Awaited<ReturnType<Peer[Name]>>> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      const answered = this.#method(name)(...args);
      const notSent = this.#calls.takeFailure();
      if (notSent !== undefined) {
        this.#pending.delete(reject);
        reject(notSentError(notSent));
        return;
      }
      answered.then(
        (answer) => {
          this.#pending.delete(reject);
          const { ok, value, error } = Object(answer) as { ok?: unknown; value?: unknown; error?: unknown };
          if (ok === true) resolve(value as Awaited<ReturnType<Peer[Name]>>);
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what the other side threw is any value
          else reject(fromWireReason(error));
        },
        (error: unknown) => {
          this.#pending.delete(reject);
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the same
          reject(error);
        },
      );
    });
  }

  /** Settles all that waits, and lets go of the endpoint. `saysBye`: the other side is there, and should know. */
  end(error: Error, saysBye: boolean): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    if (saysBye) this.#say("bye", error.message);
    this.wire.close();
    this.#calls.close();
    this.#answers.close();
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const reject of pending) reject(error);
    this.#onOver(error);
  }

  #method(name: string): (...args: unknown[]) => Promise<unknown> {
    let method = this.#methods.get(name);
    if (method === undefined) {
      method = this.#peer[name] as unknown as (...args: unknown[]) => Promise<unknown>;
      this.#methods.set(name, method);
    }
    return method;
  }

  #receive(message: unknown): void {
    if (this.#over !== undefined || !Array.isArray(message) || message[0] !== TAG) return;
    const [, version, kind, body] = message as [tag: string, version: unknown, kind: unknown, body: unknown];
    if (typeof version !== "number") return;
    if (version !== REMOTE_VERSION) {
      const text = `this side speaks version ${REMOTE_VERSION} of the protocol, the other one ${version}`;
      this.end(new ThreadmillError("PROTOCOL_MISMATCH", text), kind !== "bye");
    } else if (kind === "call") this.#answers.receive(body);
    else if (kind === "answer") this.#calls.receive(body);
    else if (kind === "bye") this.end(lostError(`the other side has closed it (${shown(body)})`), false);
  }

  #say(kind: FrameKind, body: unknown): void {
    try {
      this.wire.post([TAG, REMOTE_VERSION, kind, body]);
    } catch {
      // It is gone already, and knows.
    }
  }
}

function shown(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value).slice(0, 200) : typeof value;
}

/** The methods with their results and errors as answers. What runs in the same tick as the call still does. */
function guarded<Own extends Faced<Own>>(own: Own, names: readonly (keyof Own & string)[]): object {
  const guardedOwn = Object.create(null) as Record<string, (...args: never[]) => unknown>;
  const give = (value: unknown): Answer => ({ ok: true, value });
  for (const name of names) {
    guardedOwn[name] = (...args) => {
      try {
        const value = own[name](...args);
        return value instanceof Promise ? value.then(give, refusal) : give(value);
      } catch (error) {
        return refusal(error);
      }
    };
  }
  return guardedOwn;
}
