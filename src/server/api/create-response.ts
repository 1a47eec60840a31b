import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { newJobId } from '../../producer/acceptance.ts';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { EnqueueOptions } from '../../shared/contract/request.ts';
import type { Caller } from '../access/sign-in.ts';
import { sendEvents } from './event-stream.ts';
import { showResponse } from './find-job.ts';
import type { Passthrough } from './passthrough.ts';
import { type Api, type CreateOptions, createSchema, errorAnswers, responseSchema } from './schemas.ts';

/** An SDK gives up long before; a larger number is nobody's. */
const MOST_SENDS = 100;
/** As the contract has it: for so long the same body from the same key may be the same create, sent again. */
export const RESEND_WINDOW_MS = 600_000;

export function createRoute(app: Api, producer: Producer, passthrough: Passthrough): void {
  app.post(
    '/v1/responses',
    {
      schema: {
        summary: 'Enqueue a background response',
        tags: ['responses'],
        body: createSchema,
        response: { 200: responseSchema, ...errorAnswers },
      },
      preValidation: async (request, reply) => {
        if (isBackground(request.body)) return;
        if (!passthrough.isOpen)
          throw new HeadstoneError(
            'unsupported_parameter',
            'background must be true: Headstone runs background responses, and passes others on only with HEADSTONE_PASSTHROUGH=1.',
            { param: 'background' },
          );
        return await passthrough.sendCreate(request, reply);
      },
    },
    async (request, reply) => {
      const { headstone = {}, background, ...wanted } = request.body;
      const tenant = tenantFor(request.caller, headstone.tenant);
      const named = headstone.id ?? idOfKey(request, tenant);
      const count = sendNumber(request);
      // Whether the store took it may be unknown: where nothing says which create it was, the same again is another job.
      if (named === undefined && count === null) reply.header('x-should-retry', 'false');
      const id = named ?? (count === null ? newJobId() : await idOfSend(request, count, producer));
      const { id: jobId } = await producer
        .enqueue(wanted, { ...optionsOf(headstone), tenant, id })
        .catch((error: unknown) => {
          throw isConflictOfKey(error, headstone.id) ? keyConflict() : error;
        });
      if (wanted.stream) return sendEvents(reply, signal => producer.subscribe(jobId, { signal }));
      reply.header('x-should-retry', 'false');
      const body = await showResponse(producer, jobId, request.caller);
      reply.removeHeader('x-should-retry');
      return body;
    },
  );
}

function isBackground(body: unknown): boolean {
  // What is no object at all is told so by the schema.
  return typeof body !== 'object' || body === null || (body as { background?: unknown }).background === true;
}

function optionsOf({ tags, deadline_ms, priority, attempts, on_unknown_launch }: CreateOptions): EnqueueOptions {
  return {
    ...(tags ? { tags } : {}),
    ...(deadline_ms ? { deadlineMs: deadline_ms } : {}),
    ...(priority ? { priority } : {}),
    ...(attempts ? { attempts } : {}),
    ...(on_unknown_launch ? { onUnknownLaunch: on_unknown_launch } : {}),
  };
}

/** Only an admin's key speaks for another tenant (I12). */
function tenantFor(caller: Caller, wanted: string | undefined): string {
  if (wanted === undefined || wanted === caller.tenant || caller.admin) return wanted ?? caller.tenant;
  throw new HeadstoneError(
    'invalid_request',
    'headstone.tenant is for admin keys: leave it out, and the job is your own.',
    { param: 'headstone.tenant' },
  );
}

/** How often OpenAI's SDKs have sent this create before; null for a client that does not say. */
function sendNumber(request: FastifyRequest): number | null {
  const header = request.headers['x-stainless-retry-count'];
  if (typeof header !== 'string' || !/^\d{1,3}$/.test(header)) return null;
  return Math.min(Number(header), MOST_SENDS);
}

/** The job of the create that this is a re-send of, and else a new one (I6: an answer lost on the way is not paid twice). */
async function idOfSend(request: FastifyRequest, count: number, producer: Producer): Promise<string> {
  const digest = createHash('sha256')
    .update(JSON.stringify([request.caller.tenant, request.caller.keyName, request.body]))
    .digest('hex');
  const { id } = await producer.store.run('resend', {
    digest,
    count,
    new_id: newJobId(),
    window_ms: RESEND_WINDOW_MS,
  });
  return id;
}

/** The same key is the same job, as the header's name promises. */
function idOfKey(request: FastifyRequest, tenant: string): string | undefined {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || key === '') return undefined;
  return `resp_${createHash('sha256')
    .update(JSON.stringify([tenant, key]))
    .digest('hex')
    .slice(0, 32)}`;
}

/** The caller sent a key and no id, so they are told of the key. */
function isConflictOfKey(error: unknown, id: string | undefined): boolean {
  return id === undefined && error instanceof HeadstoneError && error.code === 'id_conflict';
}

function keyConflict(): HeadstoneError {
  return new HeadstoneError(
    'id_conflict',
    'This Idempotency-Key was used for another request: nothing was enqueued. Use a new key for a new request.',
  );
}
