/**
 * One face for all that can carry messages between an engine and its client: a port or a Worker of Node, Electron's
 * `MessagePortMain`, a port of the web. And how each of them says that the other side is gone.
 */
import { parentPort } from "node:worker_threads";
import { InvalidArgumentError } from "@threadmill/protocol";

type Listener = (value: unknown) => void;

/** A `MessagePort` or a `Worker` of `node:worker_threads`. Its listeners get the message itself. */
export interface NodeEndpoint {
  postMessage(message: unknown): void;
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
  ref(): void;
  unref(): void;
}

/** Electron's `MessagePortMain`. Its listeners get an event that holds the message. */
export interface ElectronEndpoint {
  postMessage(message: unknown): void;
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
  start(): void;
  close(): void;
}

/** A `MessagePort` or a `Worker` of the web. */
export interface WebEndpoint {
  postMessage(message: unknown): void;
  addEventListener(event: string, listener: Listener): void;
  removeEventListener(event: string, listener: Listener): void;
}

export type Endpoint = NodeEndpoint | ElectronEndpoint | WebEndpoint;

export interface WireListener {
  readonly onMessage: (message: unknown) => void;
  /** The other side is gone; nothing comes after this. */
  readonly onGone: (why: string) => void;
  /** A message came that cannot be read on this side, and whoever waits for it would wait for ever. */
  readonly onUnreadable: () => void;
}

export interface Wire {
  /** Threads of one process see the same shared memory; processes do not. */
  readonly sharesMemory: boolean;
  /** @throws what cannot be cloned. */
  post(message: unknown): void;
  /** Whether the connection keeps its thread alive. */
  hold(isHeld: boolean): void;
  /** Lets go of the endpoint, and closes it where it belongs to the connection alone. */
  close(): void;
}

/** Endpoints that carry a connection. Two on one would take each other's messages for their own. */
const inUse = new WeakSet<object>();

/** @throws {InvalidArgumentError} nothing that messages can be sent over, or in use. */
export function openWire(endpoint: Endpoint, listener: WireListener): Wire {
  if (inUse.has(Object(endpoint) as object)) {
    throw new InvalidArgumentError(
      "this endpoint carries a connection already; share the client, or make a MessageChannel for each one",
    );
  }
  const wire = openByKind(endpoint, listener);
  inUse.add(endpoint);
  return {
    ...wire,
    close() {
      inUse.delete(endpoint);
      wire.close();
    },
  };
}

function openByKind(endpoint: Endpoint, listener: WireListener): Wire {
  const methods = Object(endpoint) as Partial<NodeEndpoint & ElectronEndpoint & WebEndpoint>;
  if (typeof methods.postMessage === "function") {
    // Ports of Node are asked for first: they have the web's face too, and lose `ref` by it.
    if (typeof methods.on === "function" && typeof methods.ref === "function") {
      return openNodeWire(endpoint as NodeEndpoint, listener);
    }
    if (typeof methods.on === "function") return openElectronWire(endpoint as ElectronEndpoint, listener);
    if (typeof methods.addEventListener === "function") return openWebWire(endpoint as WebEndpoint, listener);
  }
  throw new InvalidArgumentError("the endpoint must be a MessagePort, a Worker, or Electron's MessagePortMain");
}

function openNodeWire(
  endpoint: NodeEndpoint & {
    listenerCount?: (event: string) => number;
    close?: () => void;
    hasRef?: () => boolean;
    threadId?: number;
  },
  { onMessage, onGone, onUnreadable }: WireListener,
): Wire {
  const isWorker = endpoint.threadId !== undefined;
  const listeners: [event: string, listener: Listener][] = [
    ["message", onMessage],
    ["messageerror", onUnreadable],
    // A port closes when its other end is closed, or when the thread of that end dies.
    ["close", () => onGone("its port was closed")],
    ["exit", (code) => onGone(`its thread ended with code ${String(code)}`)],
  ];
  for (const [event, listener] of listeners) endpoint.on(event, listener);
  // One that is gone already will not say so again.
  if (isWorker ? endpoint.threadId === -1 : isClosed(endpoint)) {
    queueMicrotask(() => onGone(isWorker ? "its thread had ended before" : "its port had been closed before"));
  }
  return {
    sharesMemory: true,
    post: (message) => endpoint.postMessage(message),
    hold(isHeld) {
      if (isHeld) endpoint.ref();
      // Who else listens may count on being held.
      else if ((endpoint.listenerCount?.("message") ?? 0) <= 1) endpoint.unref();
    },
    close() {
      for (const [event, listener] of listeners) endpoint.off(event, listener);
      if (!isWorker && endpoint !== (parentPort as unknown)) endpoint.close?.();
    },
  };
}

/** A port that is closed cannot be made to hold its thread. */
function isClosed(port: { ref(): void; unref(): void; hasRef?: () => boolean }): boolean {
  if (port.hasRef?.() !== false) return false;
  port.ref();
  const isOpen = port.hasRef();
  port.unref();
  return !isOpen;
}

function openElectronWire(endpoint: ElectronEndpoint, { onMessage, onGone }: WireListener): Wire {
  const listeners: [event: string, listener: Listener][] = [
    ["message", (event) => onMessage((event as { readonly data: unknown }).data)],
    ["close", () => onGone("its port was closed")],
  ];
  for (const [event, listener] of listeners) endpoint.on(event, listener);
  endpoint.start();
  return {
    sharesMemory: false,
    post: (message) => endpoint.postMessage(message),
    hold: () => undefined,
    close() {
      for (const [event, listener] of listeners) endpoint.off(event, listener);
      endpoint.close();
    },
  };
}

function openWebWire(
  endpoint: WebEndpoint & { start?: () => void; close?: () => void },
  { onMessage, onGone, onUnreadable }: WireListener,
): Wire {
  const listeners: [event: string, listener: Listener][] = [
    ["message", (event) => onMessage((event as { readonly data: unknown }).data)],
    ["messageerror", onUnreadable],
    ["close", () => onGone("its port was closed")],
  ];
  for (const [event, listener] of listeners) endpoint.addEventListener(event, listener);
  endpoint.start?.();
  return {
    sharesMemory: false,
    post: (message) => endpoint.postMessage(message),
    hold: () => undefined,
    close() {
      for (const [event, listener] of listeners) endpoint.removeEventListener(event, listener);
      endpoint.close?.();
    },
  };
}
