/** What went wrong, as HTTP says it: `{ statusCode, code, error, message }`, with the code of the engine. */
import { STATUS_CODES } from "node:http";
import type { ErrorCode, ThreadmillError } from "@threadmill/engine";
import type { FastifyError, FastifyInstance } from "fastify";

const STATUS: Partial<Record<ErrorCode, number>> = {
  QUEUE_FULL: 503,
  ENGINE_CLOSED: 503,
  JOB_ID_CONFLICT: 409,
};
const RETRY_AFTER_SECONDS = 5;

/** Unknown is not empty, and not finished either. */
export class UnknownJobError extends Error {
  static {
    this.prototype.name = "UnknownJobError";
  }
  readonly code = "JOB_UNKNOWN";
  readonly statusCode = 404;

  constructor(id: string) {
    super(`no job ${JSON.stringify(id)} is live, or has settled not long ago`);
  }
}

export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError | ThreadmillError>((error, _request, reply) => {
    const { code, message } = error;
    const statusCode = STATUS[code as ErrorCode];
    // Fastify does the rest: the status that an error names, else 500 and a line in the log.
    if (statusCode === undefined) return reply.send(error);
    if (statusCode === 503) reply.header("retry-after", RETRY_AFTER_SECONDS);
    return reply.code(statusCode).send({ statusCode, code, error: STATUS_CODES[statusCode], message });
  });
}
