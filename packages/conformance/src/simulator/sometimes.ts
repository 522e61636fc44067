/**
 * Things that must happen now and then, or the simulator is weaker than it looks. A run of many seeds in which one of
 * these stays at zero fails with its name.
 */
export const SOMETIMES = [
  "cancel during the last batch",
  "cancel of a paused job",
  "cancel while its module is read",
  "cancel while its module is evaluated",
  "cancel during its setup",
  "batch left behind by its import",
  "batch that joins an import under way",
  "batch that joins a setup under way",
  "module that was imported, and not set up",
  "recipe forgotten by its thread",
  "description of a recipe that its thread was to forget",
  "crash with two jobs waiting",
  "crash of a thread with two jobs in it",
  "crash after the answer was posted",
  "crash that took answers with it",
  "crash of an idle thread",
  "duplicate answer",
  "duplicate answer after a retry",
  "late answer from a thread set aside",
  "word from a thread that is being terminated",
  "word from an earlier life of a slot",
  "revocation during a cancel",
  "revocation that came too late",
  "revocation between a claim and its look at the limit",
  "answer with fewer items than were left to it",
  "thread set aside",
  "thread set aside in native code",
  "thread set aside that looked at nothing",
  "stuck with no room",
  "stuck thread that came back",
  "slot broken",
  "all slots broken",
  "slot given another chance",
  "suspects going alone",
  "suspect kept apart by a reserved slot",
  "item lost for good",
  "item timed out for good",
  "job failed by threads that died",
  "batch spoilt and split",
  "batch spoilt by one that cannot be read",
  "columns batch beyond the engine's bound",
  "columns batch split after a loss",
  "columns batch split after its time limit",
  "columns batch taken back in the middle",
  "columns task without a column",
  "item that cannot be sent",
  "pause while an item is claimed",
  "pause with nothing in threads",
  "retry due during pause",
  "newcomer hastened",
  "way given to a newcomer",
  "warm-up on a lost thread",
  "close with items in flight",
  "deadline of a close that cancelled",
  "throttled reader unblocks source",
  "reader slower than its job",
  "source that failed with items in flight",
  "source that fell silent",
  "source without an end",
  "source ended after its last item was delivered",
  "found items held back by a pause",
  "job completed by what was found alone",
  "item that waited",
  "item that waited for one that failed",
  "batch of items that lie apart",
  "probe that came back without a description",
  "recipe forgotten while its batch is out",
  "tick and message due together",
  "tick that found nothing due",
  "batch behind begun before the one ahead ended",
  "handler abandoned",
  "time limit passed and the grace not",
] as const;

/**
 * Faults as a seed may draw them; none of them may stay away either. A thread that exits, throws or runs out of memory
 * is one that crashes: the scheduler hears the same of all.
 */
export const FAULTS = [
  "crash",
  "exit-after",
  "kill from outside",
  "hang",
  "await",
  "relapse",
  "long native call",
  "fail",
  "fail-final",
  "fail-alone",
  "uncloneable",
  "unreadable",
  "failed start",
  "import: broken",
  "import: crash",
  "import: hang",
  "import: await",
  "setup: broken",
  "setup: crash",
  "setup: hang",
  "setup: await",
  "late message",
  "lost message",
  "duplicate message",
  "slow claim",
  "stall",
  "close",
] as const;
export type Fault = (typeof FAULTS)[number];

export type Sometimes = (typeof SOMETIMES)[number];
export type Counters = Record<Sometimes, number>;

export function createCounters(): Counters {
  return Object.fromEntries(SOMETIMES.map((name) => [name, 0])) as Counters;
}

/** The names of what never happened, and of the faults that never came about. */
export function neverHappened(counters: Counters, faults: Readonly<Record<string, number>>): string[] {
  return [...SOMETIMES.filter((name) => counters[name] === 0), ...FAULTS.filter((name) => faults[name] === undefined)];
}
