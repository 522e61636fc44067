import { describe, expect, it } from "vitest";
import {
  ERROR_CODES,
  EngineClosedError,
  FinalError,
  InvalidArgumentError,
  JobIdConflictError,
  QueueFullError,
  TaskError,
  ThreadmillError,
} from "../src/errors.js";

describe("the errors of Threadmill", () => {
  it.each([
    [new ThreadmillError("PROTOCOL_MISMATCH", "a"), "ThreadmillError", "PROTOCOL_MISMATCH"],
    [new InvalidArgumentError("a"), "InvalidArgumentError", "INVALID_ARGUMENT"],
    [new QueueFullError(3), "QueueFullError", "QUEUE_FULL"],
    [new JobIdConflictError("a", "is another"), "JobIdConflictError", "JOB_ID_CONFLICT"],
    [new EngineClosedError(), "EngineClosedError", "ENGINE_CLOSED"],
    [
      new TaskError("TASK_FAILED", "a", { jobId: "j", index: 1, attempt: 2, cause: undefined }),
      "TaskError",
      "TASK_FAILED",
    ],
  ])("have a name, a code of the table and one root: %o", (error, name, code) => {
    expect(error).toBeInstanceOf(ThreadmillError);
    expect([error.name, error.code]).toEqual([name, code]);
    expect(Object.keys(ERROR_CODES)).toContain(error.code);
    expect(error.stack).toMatch(new RegExp(`^${name}: `));
  });

  it("say what a caller may want to know, not only in their text", () => {
    expect(new QueueFullError(3).maxJobs).toBe(3);
    expect(new JobIdConflictError("album", "is another").jobId).toBe("album");
    const cause = new RangeError("no");
    const error = new TaskError("TASK_TIMEOUT", "late", {
      jobId: "j",
      index: 4,
      attempt: 2,
      cause,
    });
    const { code, jobId, index, attempt } = error;
    expect(error.cause).toBe(cause);
    expect({ code, jobId, index, attempt }).toEqual({ code: "TASK_TIMEOUT", jobId: "j", index: 4, attempt: 2 });
  });

  it("show ids with all that is in them", () => {
    expect(new JobIdConflictError('a"b\n', "is another").message).toContain('"a\\"b\\n"');
  });
});

describe("a FinalError", () => {
  it("is known by a property, since two copies of the class can meet", () => {
    const error = new FinalError("enough", { cause: 1 });
    expect([error.name, error.message, error.final, error.cause]).toEqual(["FinalError", "enough", true, 1]);
  });
});
