/**
 * Things that must happen now and then, or the simulator is weaker than it looks. A run of many seeds in which one of
 * these stays at zero fails with its name.
 */
export const SOMETIMES = [
  "cancel during the last batch",
  "cancel of a paused job",
  "cancel while its task is loaded",
  "crash with two jobs waiting",
  "crash of a thread with two jobs in it",
  "crash after the answer was posted",
  "crash that took answers with it",
  "crash of an idle thread",
  "duplicate answer",
  "duplicate answer after a retry",
  "late answer from a thread set aside",
  "word from an earlier life of a slot",
  "revocation during a cancel",
  "revocation that came too late",
  "revocation between a claim and its look at the limit",
  "answer with fewer items than were left to it",
  "thread set aside",
  "thread set aside in native code",
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
  "source that failed with items in flight",
  "source ended after its last item was delivered",
  "found items held back by a pause",
  "job completed by what was found alone",
  "batch of items that lie apart",
  "probe that came back without a description",
  "recipe forgotten while its batch is out",
  "tick and message due together",
  "tick that found nothing due",
  "batch behind begun before the one ahead ended",
  "handler abandoned",
  "time limit passed and the grace not",
] as const;

export type Sometimes = (typeof SOMETIMES)[number];
export type Counters = Record<Sometimes, number>;

export function createCounters(): Counters {
  return Object.fromEntries(SOMETIMES.map((name) => [name, 0])) as Counters;
}

/** The names of what never happened. */
export function neverHappened(counters: Counters): Sometimes[] {
  return SOMETIMES.filter((name) => counters[name] === 0);
}
