/**
 * Who has locked a file, written into the lock, and whether that process still lives.
 *
 * A number alone does not say: numbers are given out again, in containers after a handful of processes. So the lock
 * also names when its process was started, and where: the same number means another process elsewhere. Nothing is
 * broken on mere suspicion; where it cannot be known, the lock's heartbeat decides (see lock.ts).
 */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { threadId } from "node:worker_threads";

/** Where a process number means something. */
export interface Place {
  readonly host: string;
  /** Of the installation: containers and copies of a machine may share the host's name. */
  readonly machineId: string | undefined;
  /** Changes with each start of the machine. */
  readonly bootId: string | undefined;
  /** Containers on one machine count their processes apart. */
  readonly pidNamespace: string | undefined;
}

export interface Owner extends Place {
  readonly pid: number;
  readonly threadId: number;
  /** In ticks since the start of the machine; `undefined` where the system does not tell it easily. */
  readonly startedAt: string | undefined;
  readonly since: string;
  /** Of this one lock; no other ever has it. */
  readonly token: string;
}

export type ProcessSight =
  { readonly status: "gone" } | { readonly status: "there"; readonly startedAt: string | undefined };

export function ownerHere(): Owner {
  const sight = lookAt(process.pid);
  return {
    pid: process.pid,
    threadId,
    startedAt: sight.status === "there" ? sight.startedAt : undefined,
    host: hostname(),
    machineId: firstLine("/etc/machine-id"),
    bootId: firstLine("/proc/sys/kernel/random/boot_id"),
    pidNamespace: linkTarget("/proc/self/ns/pid"),
    since: new Date().toISOString(),
    token: randomBytes(8).toString("hex"),
  };
}

/** `alive` and `dead` are proven; all else is `unknown`. */
export function judgeOwner(
  owner: Owner,
  here: Owner,
  look: (pid: number) => ProcessSight = lookAt,
): "alive" | "dead" | "unknown" {
  if (owner.host !== here.host || owner.machineId !== here.machineId) return "unknown";
  if (owner.bootId !== here.bootId) {
    // Without an id of the machine, another boot may be another machine of the same name.
    return owner.machineId !== undefined && owner.bootId !== undefined ? "dead" : "unknown";
  }
  if (owner.pidNamespace !== here.pidNamespace) return "unknown";
  const sight = look(owner.pid);
  if (sight.status === "gone") return "dead";
  if (owner.startedAt === undefined || sight.startedAt === undefined) return "unknown";
  if (owner.startedAt !== sight.startedAt) return "dead";
  // The process lives, but its thread that opened the file may not.
  if (owner.pid === here.pid && owner.threadId !== here.threadId) return "unknown";
  return "alive";
}

/** `undefined` for what is no owner's text: cut off by a crash, or somebody else's file. */
export function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null;
    const fits =
      typeof owner?.pid === "number" &&
      Number.isSafeInteger(owner.pid) &&
      owner.pid > 0 &&
      typeof owner.host === "string" &&
      typeof owner.token === "string" &&
      /^[0-9a-f]{16}$/.test(owner.token);
    return fits ? (owner as Owner) : undefined;
  } catch {
    return undefined;
  }
}

function lookAt(pid: number): ProcessSight {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return { status: "gone" };
  }
  const stat = firstLine(`/proc/${pid}/stat`);
  if (stat === undefined) return { status: "there", startedAt: undefined };
  // The second field is the program's name in brackets, which may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie: dead, and only not yet asked for by its parent.
  if (fields[0] === "Z" || fields[0] === "X") return { status: "gone" };
  return { status: "there", startedAt: fields[19] };
}

function firstLine(file: string): string | undefined {
  try {
    const [line] = readFileSync(file, "utf8").split("\n");
    return line === "" ? undefined : line;
  } catch {
    return undefined;
  }
}

function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
