/** Small helpers for what tests of an engine ask again and again. */
import type { Engine, ErrorCode, JobHandle, Outcome, TaskError } from "@threadmill/engine";
import { expect, test } from "vitest";
import type { Subject } from "./subject.js";

/** Whole numbers from 0. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

export async function collect<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const one of source) all.push(one);
  return all;
}

/** What the promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("the promise was expected to reject");
}

/** The `TaskError` that the promise rejects with, whose code is this one. */
export async function failure(promise: Promise<unknown>, code: ErrorCode): Promise<TaskError> {
  const error = (await rejection(promise)) as TaskError;
  expect(error).toBeInstanceOf(Error);
  expect(error.code, `the code of: ${error.message}`).toBe(code);
  return error;
}

/** What the call throws, at once. */
export function thrown(call: () => unknown): Error & { code?: unknown } {
  try {
    call();
  } catch (error) {
    return error as Error & { code?: unknown };
  }
  throw new Error("the call was expected to throw");
}

/** The next time this event happens, with what it brings. */
export function once<Value = unknown>(
  emitter: { once(event: never, listener: (value: never) => void): unknown },
  event: string,
): Promise<Value> {
  return new Promise((resolve) => emitter.once(event as never, resolve));
}

/** The engine's thread event of this type. */
export function threadEvent(engine: Engine, type: string): Promise<unknown> {
  return new Promise((resolve) => {
    const listener = (event: { readonly type: string }): void => {
      if (event.type !== type) return;
      engine.off("thread", listener);
      resolve(event);
    };
    engine.on("thread", listener);
  });
}

export function byIndex<Value>(outcomes: readonly Outcome<Value>[]): Outcome<Value>[] {
  return outcomes.toSorted((a, b) => a.index - b.index);
}

export function valuesOf<Value>(outcomes: readonly Outcome<Value>[]): (Value | TaskError)[] {
  return outcomes.map((outcome) => (outcome.status === "completed" ? outcome.value : outcome.error));
}

/** That an engine is as good as new: it holds no job, and runs one. */
export async function expectUsable(engine: Engine, probe: () => JobHandle<unknown>): Promise<void> {
  expect(engine.jobs()).toEqual([]);
  await probe().result;
}

/** A test of something that the subject may not have: then it is skipped, with the reason. */
export function testWith(
  subject: Subject,
  needed: keyof Subject["lacks"],
  name: string,
  body: () => Promise<void> | void,
): void {
  const reason = subject.lacks[needed];
  // oxlint-disable vitest/expect-expect, vitest/valid-title, vitest/no-conditional-tests -- the caller gives name and body
  if (reason === undefined) test(name, body);
  else test(name, ({ skip }) => skip(reason));
  // oxlint-enable vitest/expect-expect, vitest/valid-title, vitest/no-conditional-tests
}
