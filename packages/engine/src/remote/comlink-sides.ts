/**
 * What Comlink takes for ports: one half of the wire for calls that go out, one for calls that come in, with messages that
 * have been looked at.
 */
import { type WireReason, notSentError, toWireReason } from "./reasons.js";

const MAX_ARGUMENTS = 4;

export type Answer =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: WireReason };

export function refusal(error: unknown): Answer {
  return { ok: false, error: toWireReason(error) };
}

type MessageListener = (event: { readonly data: unknown }) => void;

/** What Comlink takes for a port: half of the wire, with messages that have been looked at. */
abstract class Half {
  #listener: MessageListener | undefined;

  addEventListener(_: "message", listener: MessageListener): void {
    this.#listener = listener;
  }

  removeEventListener(): void {
    this.#listener = undefined;
  }

  abstract postMessage(message: object): void;

  close(): void {
    this.#listener = undefined;
  }

  protected deliver(data: unknown): void {
    this.#listener?.({ data });
  }
}

interface CallMessage {
  readonly id: string;
  readonly type: string;
  readonly path: readonly string[];
  readonly argumentList: readonly { readonly type: string; readonly value: unknown }[];
}

/** Calls go out, answers come in. */
export class CallSide extends Half {
  readonly #post: (message: object) => void;
  #failure: unknown;
  #isClosed = false;

  constructor(post: (message: object) => void) {
    super();
    this.#post = post;
  }

  /** Never throws: Comlink would keep the call for ever. It is answered at once instead. */
  override postMessage(message: object): void {
    // Comlink releases its proxies when they are collected; there is nothing to release on the other side.
    if (this.#isClosed || (message as CallMessage).type !== "APPLY") return;
    try {
      this.#post(message);
    } catch (error) {
      this.#failure = error;
      this.deliver({ id: (message as CallMessage).id, type: "RAW", value: undefined });
    }
  }

  /** Why the message that was posted last was not sent, if it was not. */
  takeFailure(): unknown {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  override close(): void {
    super.close();
    this.#isClosed = true;
  }

  receive(body: unknown): void {
    const { id, type, name } = Object(body) as { id?: unknown; type?: unknown; name?: unknown };
    // A result that could not be cloned is thrown by Comlink itself.
    if (typeof id === "string" && (type === "RAW" || (type === "HANDLER" && name === "throw"))) this.deliver(body);
  }
}

/** Calls come in, answers go out. */
export class AnswerSide extends Half {
  readonly #methods: ReadonlySet<string>;
  readonly #post: (message: object) => void;

  constructor(methods: readonly string[], post: (message: object) => void) {
    super();
    this.#methods = new Set(methods);
    this.#post = post;
  }

  /** Never throws: Comlink would try once more, without the code, and leave a second throw to the process. */
  override postMessage(message: object): void {
    try {
      this.#post(message);
    } catch (error) {
      try {
        this.#post({ ...message, type: "RAW", value: refusal(notSentError(error)) });
      } catch {
        // Nothing can be sent at all, and there is nobody to be told.
      }
    }
  }

  receive(body: unknown): void {
    const { id, type, path, argumentList } = Object(body) as Partial<CallMessage>;
    const isCall =
      typeof id === "string" &&
      type === "APPLY" &&
      Array.isArray(path) &&
      path.length === 1 &&
      typeof path[0] === "string" &&
      this.#methods.has(path[0]) &&
      Array.isArray(argumentList) &&
      argumentList.length <= MAX_ARGUMENTS &&
      argumentList.every((argument) => (Object(argument) as { type?: unknown }).type === "RAW");
    // Anything else is dropped: who sends it is broken or hostile, and is owed no answer.
    if (isCall) this.deliver(body);
  }
}
