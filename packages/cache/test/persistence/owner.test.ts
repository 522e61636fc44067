import { describe, expect, it } from "vitest";
import { type Owner, type ProcessSight, judgeOwner, ownerHere, parseOwner } from "../../src/persistence/owner.js";

const here: Owner = {
  pid: 50,
  threadId: 0,
  startedAt: "5000",
  host: "box",
  machineId: "m",
  bootId: "b",
  pidNamespace: "pid:[1]",
  since: "2026-01-01",
  token: "0123456789abcdef",
};
const other: Owner = { ...here, pid: 60, startedAt: "6000", token: "fedcba9876543210" };

function looking(sight: ProcessSight): (pid: number) => ProcessSight {
  return () => sight;
}

describe("the owner of a lock", () => {
  it.each([
    ["lives, if its process does", other, "6000", "alive"],
    ["is dead, if its number was given to a later process", other, "7000", "dead"],
    ["is dead, if its process is gone", other, "gone", "dead"],
    ["may live, if nobody says when processes were started", other, undefined, "unknown"],
    ["may live, if it did not know when it was started", { ...other, startedAt: undefined }, "6000", "unknown"],
    ["may live on another host", { ...other, host: "elsewhere" }, "gone", "unknown"],
    ["may live on another machine of the same name", { ...other, machineId: "n" }, "gone", "unknown"],
    ["may live in another container", { ...other, pidNamespace: "pid:[2]" }, "gone", "unknown"],
    ["is dead, if the machine was started again", { ...other, bootId: "c" }, "6000", "dead"],
    ["lives, if it is this very thread", { ...here, token: "1111111111111111" }, "5000", "alive"],
    ["may be a thread of this process that has ended", { ...here, threadId: 3 }, "5000", "unknown"],
  ])("%s", (_name, owner, startedAt, verdict) => {
    const sight: ProcessSight = startedAt === "gone" ? { status: "gone" } : { status: "there", startedAt };
    expect(judgeOwner(owner, here, looking(sight))).toBe(verdict);
  });

  it("may be another machine without an id that was started at another time", () => {
    const nameless = { ...here, machineId: undefined };
    const sight = looking({ status: "gone" });
    expect(judgeOwner({ ...other, machineId: undefined, bootId: "c" }, nameless, sight)).toBe("unknown");
  });

  it("is this process, as the system sees it", () => {
    const owner = ownerHere();
    expect(parseOwner(JSON.stringify(owner))).toEqual(JSON.parse(JSON.stringify(owner)));
    expect(judgeOwner(owner, owner)).toBe(owner.startedAt === undefined ? "unknown" : "alive");
    // Above the largest number that any system gives out.
    expect(judgeOwner({ ...owner, pid: 2 ** 30 }, owner)).toBe("dead");
  });

  it("is nobody, if the text is not one of ours", () => {
    for (const text of ["", "null", "{", "{}", "[]", '{"pid":1,"host":"h","token":"../../x"}', '{"pid":-1}']) {
      expect(parseOwner(text)).toBeUndefined();
    }
  });
});
