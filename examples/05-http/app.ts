/** The routes. Each is a few lines, because a job already is what HTTP wants: an id, a state, an end, a way to stop. */
import type { Engine } from "@threadmill/engine";
import { fastify, type FastifyInstance, type FastifyReply } from "fastify";
import { UnknownJobError, answerErrors } from "./errors.js";
import { Jobs, type LiveJob, type Question, type SettledJob } from "./jobs.js";
import { EventStream, LAST_EVENT_ID, whenGone } from "./sse.js";

/** Whatever does not fit is refused with 400 before anything is done. */
const question = {
  body: {
    type: "object",
    properties: { below: { type: "integer", minimum: 2, maximum: 1_000_000_000 } },
    required: ["below"],
    additionalProperties: false,
  },
};

interface ById {
  Params: { id: string };
}

export interface AppOptions {
  readonly heartbeatMs?: number;
}

export function buildApp(engine: Engine, { heartbeatMs }: AppOptions = {}): FastifyInstance {
  const jobs = new Jobs(engine);
  const app = fastify({
    logger: { level: "error" },
    bodyLimit: 1_024,
    // As it comes, Fastify takes "7" for 7 and drops fields that it does not know, such as a misspelt one.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  answerErrors(app);

  // Starts a job, which goes on whoever watches. An answer that the engine has kept comes at once.
  app.post<{ Body: Question }>("/jobs", { schema: question }, async (request, reply) => {
    const job = jobs.start(request.body);
    if (job.handle.fromCache) return await job.settled;
    reply.code(202).header("location", `/jobs/${job.id}`);
    return stateOf(job);
  });

  // Runs a job and streams it in the same response. It ends with its client, unless others have asked for it too.
  app.post<{ Body: Question }>("/run", { schema: question }, (request, reply) => {
    const gone = whenGone(reply.raw);
    stream(reply, jobs.start(request.body, gone), gone);
  });

  app.get<ById>("/jobs/:id", ({ params: { id } }) => {
    const job = jobs.find(id);
    if (job === undefined) throw new UnknownJobError(id);
    return stateOf(job);
  });

  // Who watches a job holds on to it. No HEAD: it would watch without seeing anything.
  app.get<ById>("/jobs/:id/events", { exposeHeadRoute: false }, (request, reply) => {
    const { id } = request.params;
    const gone = whenGone(reply.raw);
    const job = jobs.join(id, gone) ?? jobs.find(id);
    if (job === undefined) throw new UnknownJobError(id);
    // A browser comes back whenever a stream ends. One that has seen the end of the job is told so, and gives up.
    if (!("handle" in job) && request.headers["last-event-id"] === LAST_EVENT_ID) return reply.code(204).send();
    stream(reply, job, gone);
  });

  // Answers how the job ended: cancelled, or what it was before the cancel came.
  app.delete<ById>("/jobs/:id", async ({ params: { id } }) => {
    const job = await jobs.cancel(id);
    if (job === undefined) throw new UnknownJobError(id);
    return job;
  });

  /** Streams `progress`, then `settled`. Only called when nothing can be refused any more. */
  function stream(reply: FastifyReply, job: LiveJob | SettledJob, gone: AbortSignal): void {
    reply.hijack();
    if (gone.aborted) return;
    const events = new EventStream(reply.raw, gone, heartbeatMs);
    if (!("handle" in job)) {
      events.end("settled", job);
      return;
    }
    const tell = (): void => events.update("progress", stateOf(job));
    tell();
    job.handle.on("progress", tell);
    gone.addEventListener("abort", () => job.handle.off("progress", tell));
    void job.settled.then((end) => events.end("settled", end));
  }

  return app;
}

/** What is told of a job, now or at its end. */
function stateOf(job: LiveJob | SettledJob): unknown {
  if (!("handle" in job)) return job;
  const { id, below, handle } = job;
  const { completed, total, itemsPerSecond, etaMs } = handle.progress;
  return { id, below, state: handle.state, progress: { completed, total, itemsPerSecond, etaMs } };
}
