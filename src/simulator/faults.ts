import type { FastifyReply } from 'fastify';
import type { SimulatedResponse } from './response.ts';
import type { Script } from './script.ts';

interface ErrorAnswer {
  status: number;
  type: string;
  code: string | null;
  message: string;
}

const createErrors: Partial<Record<NonNullable<Script['create']>, ErrorAnswer>> = {
  rate_limit: { status: 429, type: 'requests', code: 'rate_limit_exceeded', message: 'Rate limit reached.' },
  quota: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota', message: 'You exceeded your quota.' },
  server_error: { status: 500, type: 'server_error', code: null, message: 'The server had an error.' },
  overloaded: { status: 503, type: 'server_error', code: 'server_is_overloaded', message: 'Overloaded.' },
  invalid: { status: 400, type: 'invalid_request_error', code: 'invalid_prompt', message: 'Invalid prompt.' },
  no_model: { status: 404, type: 'invalid_request_error', code: 'model_not_found', message: 'No such model.' },
  forbidden: { status: 403, type: 'invalid_request_error', code: 'forbidden', message: 'Not allowed.' },
};

export function sendError(reply: FastifyReply, { status, type, code, message }: ErrorAnswer, retryAfterS?: number) {
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS));
  return reply.code(status).send({ error: { message, type, param: null, code } });
}

/** The refusal that a fault stands for: no response is created. Null if the provider accepts and the fault is in its answer. */
export function refusal(fault: NonNullable<Script['create']>): ErrorAnswer | null {
  return createErrors[fault] ?? null;
}

/** The response runs and will be billed, but the client never receives its whole id. */
export function loseAnswer(reply: FastifyReply, fault: NonNullable<Script['create']>, body: object) {
  switch (fault) {
    case 'truncated':
      return reply.type('application/json').send(JSON.stringify(body).slice(0, 40));
    case 'html':
      return reply.type('text/html').send('<html><body>502 Bad Gateway</body></html>');
    case 'reset':
      reply.hijack();
      reply.raw.socket?.resetAndDestroy();
      return reply;
    default:
      // `hang`: the connection stays open, and nothing is sent.
      reply.hijack();
      return reply;
  }
}

const SLOW_READ_MS = 3000;

/** True if this fault has sent the answer. */
export async function failRead(reply: FastifyReply, response: SimulatedResponse, speed: number): Promise<boolean> {
  const { read, read_times, retry_after_s } = response.script;
  if (read === undefined || response.reads > read_times) return false;
  switch (read) {
    case 'not_found':
      sendError(reply, notFound(response.id));
      return true;
    case 'server_error':
      sendError(reply, { status: 500, type: 'server_error', code: null, message: 'The server had an error.' });
      return true;
    case 'rate_limit':
      sendError(
        reply,
        { status: 429, type: 'requests', code: 'rate_limit_exceeded', message: 'Slow down.' },
        retry_after_s,
      );
      return true;
    case 'malformed':
      reply.type('application/json').send('{"id": "resp_');
      return true;
    case 'html':
      reply.type('text/html').send('<html><body>A gateway’s idea of an answer</body></html>');
      return true;
    case 'odd_status':
      reply.send({
        id: response.id,
        object: 'response',
        status: 'pondering',
        model: response.request.model,
        output: [],
      });
      return true;
    case 'slow':
      await new Promise(resolve => setTimeout(resolve, SLOW_READ_MS / speed));
      return false;
  }
}

export function notFound(id: string): ErrorAnswer {
  return {
    status: 404,
    type: 'invalid_request_error',
    code: null,
    message: `Response with id '${id}' not found.`,
  };
}
