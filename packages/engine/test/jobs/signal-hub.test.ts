import { getEventListeners } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { SignalHub } from "../../src/jobs/signal-hub.js";

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

describe("the signal hub", () => {
  it("has one listener on a signal, however many watch it", () => {
    const hub = new SignalHub();
    const { signal } = new AbortController();
    for (let count = 0; count < 50; count++) hub.watch(signal, () => undefined);
    expect(listeners(signal)).toBe(1);
  });

  it("calls all who watch in the tick of the abort, once", () => {
    const hub = new SignalHub();
    const controller = new AbortController();
    const watchers = [vi.fn<() => void>(), vi.fn<() => void>()];
    for (const watcher of watchers) hub.watch(controller.signal, watcher);
    controller.abort();
    controller.abort();
    for (const watcher of watchers) expect(watcher).toHaveBeenCalledOnce();
  });

  it("leaves a signal as it was when the last one has left", () => {
    const hub = new SignalHub();
    const { signal } = new AbortController();
    const leave = [hub.watch(signal, () => undefined), hub.watch(signal, () => undefined)];
    leave[0]!();
    expect(listeners(signal)).toBe(1);
    leave[1]!();
    leave[1]!();
    expect(listeners(signal)).toBe(0);
  });

  it("watches a signal again that it had left, and the old leave does not end that", () => {
    const hub = new SignalHub();
    const controller = new AbortController();
    const leave = hub.watch(controller.signal, () => undefined);
    leave();
    const watcher = vi.fn<() => void>();
    hub.watch(controller.signal, watcher);
    leave();
    hub.watch(controller.signal, () => undefined);
    expect(listeners(controller.signal)).toBe(1);
    controller.abort();
    expect(watcher).toHaveBeenCalledOnce();
  });

  it("does not call who has left, also in the midst of an abort", () => {
    const hub = new SignalHub();
    const controller = new AbortController();
    const second = vi.fn<() => void>();
    let leave = (): void => undefined;
    hub.watch(controller.signal, () => leave());
    leave = hub.watch(controller.signal, second);
    controller.abort();
    expect(second).not.toHaveBeenCalled();
    expect(listeners(controller.signal)).toBe(0);
  });

  it("keeps signals apart", () => {
    const hub = new SignalHub();
    const [one, other] = [new AbortController(), new AbortController()];
    const watcher = vi.fn<() => void>();
    hub.watch(one.signal, () => undefined);
    hub.watch(other.signal, watcher);
    one.abort();
    expect(watcher).not.toHaveBeenCalled();
  });
});
