/** How large batches and the windows of sources may be: bounds that follow from the contract and from what was answered. */
import type { Job, State } from "@threadmill/engine/internal/scheduler";
import type { JobView } from "./job-view.js";
import type { Sent } from "./sent.js";
import type { Shell } from "./shell.js";
import { broken } from "./violation.js";

type Recipe = Job["recipe"];
/** The largest window where nobody has said one. */
const MOST_IN_FLIGHT = 65_536;

export class SizeChecks {
  readonly #shell: Shell;
  readonly #state: State;
  /** The largest batch of each recipe that was answered without a fault. */
  readonly #largestAnswered = new Map<number, number>();
  /** Recipes that some thread has described. */
  readonly #described = new Set<number>();

  constructor(shell: Shell) {
    this.#shell = shell;
    this.#state = shell.state;
  }

  /** What an answer teaches about its task, before the scheduler learns it. */
  onAnswer(sent: Sent, claimed: number): void {
    const before = this.#largestAnswered.get(sent.job.recipe) ?? 0;
    if (claimed > before) this.#largestAnswered.set(sent.job.recipe, claimed);
  }

  onDescribed(recipe: number): void {
    this.#described.add(recipe);
  }

  isDescribed(recipe: number): boolean {
    return this.#described.has(recipe);
  }

  /** A batch is no larger than anybody allows, and grows at most twofold. */
  onAssigned(sent: Sent): void {
    const { batch, job } = sent;
    const { count } = batch;
    this.#checkProbe(sent);
    if (count === 0 && job.spec.isWarmUp !== true) broken("S10", `job ${job.key} has an empty batch`);
    const most = this.#mostItems(job, batch.job.recipe);
    if (count > most) broken("S10", `job ${job.key} has a batch of ${count} items, ${most} may be in one`);
  }

  #mostItems(job: JobView, { phase, kind }: Recipe): number {
    const { maxBatchItems = 0 } = job.task;
    const { batchSize } = job.rules;
    if (phase !== "known") return 1;
    // What lies in shared columns does not travel.
    const bound = Math.min(
      kind === "columns" ? Infinity : this.#shell.options.maxBatchItems,
      maxBatchItems || Infinity,
    );
    if (batchSize > 0) return Math.min(bound, batchSize);
    return Math.min(bound, Math.max(lanesIn(job, phase), 2 * (this.#largestAnswered.get(job.recipe) ?? 0)));
  }

  /** The most items that may be between a job's source and its reader now. */
  mostInFlight(view: JobView): number {
    if (view.rules.maxInFlight > 0) return view.rules.maxInFlight;
    const { recipe } = this.#state.jobs.get(view.key) as Job;
    const size = Math.max(this.#mostItems(view, recipe), lanesIn(view, recipe.phase));
    return Math.min(2 * this.#shell.options.threads * size, MOST_IN_FLIGHT);
  }

  /** A source is asked as soon as there is room and nothing in stock. */
  checkSupply(job: Job, view: JobView): void {
    if (job.phase !== "live" || view.sourceEnded || view.isPulling) return;
    const { batchSize, maxInFlight } = view.rules;
    // Only what the caller says is a batch's size from the beginning.
    const size = batchSize > 0 ? this.#mostItems(view, job.recipe) : 1;
    const most = 2 * this.#shell.options.threads * Math.max(size, lanesIn(view, job.recipe.phase));
    const window = maxInFlight || Math.min(most, MOST_IN_FLIGHT);
    const isEmpty = job.fresh === job.supplied && job.returned.size === 0;
    if (view.inFlight < window && isEmpty) broken("L1", `job ${view.key} has room for more, and does not ask for it`);
  }

  /** Until a task is described one batch of it is out, and the others wait; warm-ups do not. */
  #checkProbe({ job, batch }: Sent): void {
    if (this.#described.has(job.recipe) || job.spec.isWarmUp === true) return;
    for (const { running, behind } of this.#state.slots) {
      for (const other of [running, behind]) {
        if (other === undefined || other === batch || other.count === 0 || other.stoppedAt !== undefined) continue;
        if (other.job.recipe.id === job.recipe) {
          broken("S10", `two batches of recipe ${job.recipe} are out, which nobody has described`);
        }
      }
    }
  }
}

/** How many items of the job one thread has in flight at once, as its task says, or the caller, as soon as it is known. */
function lanesIn({ task, rules }: JobView, phase: Recipe["phase"]): number {
  if ((task.kind ?? "item") !== "item") return 1;
  return rules.concurrency || (phase === "known" ? (task.concurrency ?? 1) : 1);
}
