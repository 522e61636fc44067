/** A real cache under a played clock, and all that can be seen of it: what its callers got, and what its events say. */
import { ResultCache } from "@threadmill/cache";
import type { Answer, LoadSettings, ModelLimits } from "./model.js";

interface RealLoad {
  readonly signal: AbortSignal;
  resolve(value: number): void;
  reject(error: unknown): void;
}

interface RealCaller {
  answer: Answer;
  readonly controller: AbortController;
}

export class CacheStage {
  cache: ResultCache<number>;
  nowMs = 0;
  readonly loads: RealLoad[] = [];
  readonly callers: RealCaller[] = [];
  /** What a listener knows to be there. */
  mirror = new Map<string, number>();
  heard = { hits: 0, misses: 0, evictions: 0, expirations: 0 };

  constructor(limits: ModelLimits) {
    this.cache = new ResultCache<number>({ ...limits, now: () => this.nowMs });
    this.#listen();
  }

  /** Another cache goes on with what this one held. */
  reopen(limits: ModelLimits): void {
    const stored = [...this.cache.dump()];
    void this.cache.close();
    this.cache = new ResultCache<number>({ ...limits, now: () => this.nowMs });
    this.mirror = new Map(stored.map(({ key, value }) => [key, value]));
    this.#listen();
    this.cache.restore(stored);
  }

  fetch(key: string, tags: readonly string[], { ttlMs, bytes, cacheFailuresMs }: LoadSettings): void {
    const caller: RealCaller = { answer: { state: "waiting" }, controller: new AbortController() };
    this.callers.push(caller);
    this.cache
      .fetch(
        key,
        ({ signal }) => new Promise<number>((resolve, reject) => this.loads.push({ signal, resolve, reject })),
        {
          tags,
          ttlMs,
          cacheFailuresMs,
          sizeOf: () => bytes,
          signal: caller.controller.signal,
        },
      )
      .then(
        (value) => {
          caller.answer = { state: "resolved", value };
        },
        (error: unknown) => {
          caller.answer = { state: "rejected", error };
        },
      );
  }

  /** Until all who can know anything know it. */
  async settle(): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  #listen(): void {
    const { cache, mirror } = this;
    this.heard = { hits: 0, misses: 0, evictions: 0, expirations: 0 };
    cache.on("hit", () => this.heard.hits++);
    cache.on("miss", () => this.heard.misses++);
    cache.on("set", ({ key, value }) => mirror.set(key, value));
    cache.on("refuse", ({ key }) => mirror.delete(key));
    cache.on("delete", ({ key }) => mirror.delete(key));
    cache.on("clear", () => mirror.clear());
    cache.on("invalidate", ({ keys }) => {
      for (const key of keys) mirror.delete(key);
    });
    cache.on("evict", ({ key }) => {
      mirror.delete(key);
      this.heard.evictions++;
    });
    cache.on("expire", ({ key }) => {
      mirror.delete(key);
      this.heard.expirations++;
    });
  }
}
