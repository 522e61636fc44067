/** The service on a port of its own, closed after each test, and clients of it that are as impolite as a test wants. */
import type { AddressInfo } from "node:net";
import { type Engine, type EngineOptions, createEngine } from "@threadmill/engine";
import type { FastifyInstance } from "fastify";
import { onTestFinished } from "vitest";
import { type AppOptions, buildApp } from "../../../dist/05-http/app.js";

/** Takes minutes: it ends because something ends it. */
export const LONG = 1_000_000_000;
export const LONG_ID = `primes-below-${LONG}`;

export interface Service {
  readonly engine: Engine;
  readonly app: FastifyInstance;
  readonly address: string;
  post(path: string, body: unknown, signal?: AbortSignal): Promise<Response>;
  get(path: string, init?: RequestInit): Promise<Response>;
  delete(path: string): Promise<Response>;
  /** Resolves when the server has noticed that the connection of the request it gets next, by this route, is closed. */
  nextClosed(url: string): Promise<void>;
}

export async function startService(options: EngineOptions & AppOptions = {}): Promise<Service> {
  const { heartbeatMs, ...engineOptions } = options;
  const engine = createEngine({ threads: 1, progressMs: 5, ...engineOptions });
  const app = buildApp(engine, heartbeatMs === undefined ? {} : { heartbeatMs });
  const awaited = new Map<string, () => void>();
  app.addHook("onRequest", (request, reply, done) => {
    const closed = awaited.get(request.url);
    awaited.delete(request.url);
    if (closed !== undefined) reply.raw.once("close", closed);
    done();
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    await engine.close({ deadlineMs: 0 });
    app.server.closeAllConnections();
    await app.close();
  });
  const address = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  return {
    engine,
    app,
    address,
    post: (path, body, signal) => post(address + path, body, signal),
    get: (path, init) => fetch(address + path, init),
    delete: (path) => fetch(address + path, { method: "DELETE" }),
    nextClosed: (url) => new Promise((resolve) => awaited.set(url, resolve)),
  };
}

export function post(url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(signal && { signal }),
  });
}
