import { describe, expect, it } from "vitest";
import { complaintIn, readFigures } from "../harness/run-contestant.js";

describe("what a program printed", () => {
  it("holds its figures in the marked line, whatever else there is", () => {
    expect(readFigures('hello\nthreadmill-bench:{"ns":1.5}\nbye\n')).toEqual({ ns: 1.5 });
    expect(readFigures("hello\n")).toBeUndefined();
  });

  it("holds what it died of in the line that names the error, without the repository's folder", () => {
    const here = new URL("../x.js", import.meta.url).href;
    expect(complaintIn(`${here}:1\n  code\n  ^\n\nTypeError: none in ${here}\n    at ${here}`)).toBe(
      "TypeError: none in bench/x.js",
    );
    expect(complaintIn("")).toBeUndefined();
  });
});
