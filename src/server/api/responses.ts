import { z } from 'zod';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { cancelOptionsSchema } from '../../shared/contract/request.ts';
import { locateJob } from '../access/permissions.ts';
import type { Passthrough } from '../passthrough/passthrough.ts';
import { Answered } from './answered.ts';
import { whenGone } from './client-gone.ts';
import { sendEvents } from './event-stream.ts';
import { readKeptJob, sendJson, showResponse } from './find-job.ts';
import { inputItems, inputItemsQuerySchema } from './input-items.ts';
import { type Api, errorAnswers, idParamsSchema, responseSchema } from './schemas.ts';
import type { StreamReaders } from './stream-readers.ts';

/** The caller cannot claim the name of a key. */
const cancelSchema = cancelOptionsSchema.omit({ keyName: true }).nullish();

/** A list in a query may be a single value, and its name may end in brackets. */
const fieldName = z
  .string()
  .regex(/^[a-z_]+(\.[a-z_]+)*$/, 'must be the name of a field')
  .max(100);
const includeSchema = z.union([fieldName.transform(name => [name]), z.array(fieldName).max(20)]).optional();

const readQuerySchema = z.object({
  stream: z
    .enum(['true', 'false'])
    .transform(text => text === 'true')
    .optional(),
  include: includeSchema,
  'include[]': includeSchema,
  starting_after: z.coerce
    .number()
    .int()
    .nonnegative()
    .optional()
    .describe('The last sequence number that the reader has.'),
});

/** What the routes for responses work with. */
export interface ResponseParts {
  producer: Producer;
  passthrough: Passthrough;
  readers: StreamReaders;
}

/** The routes of OpenAI's API that read, cancel and delete background responses. */
export function responseRoutes(app: Api, { producer, passthrough, readers }: ResponseParts): void {
  const about = { tags: ['responses'], params: idParamsSchema };
  const unknown = { preHandler: passthrough.passOnUnknown };
  const answered = new Answered(producer.store);

  app.get(
    '/v1/responses/:id',
    {
      ...unknown,
      schema: {
        ...about,
        summary: 'Read a response, or with stream=true follow its events',
        querystring: readQuerySchema,
        response: { 200: responseSchema, ...errorAnswers },
      },
    },
    async (request, reply) => {
      const { stream, starting_after: after, include = [], 'include[]': others = [] } = request.query;
      const wanted = [...include, ...others];
      const named = request.params.id;
      const { id } = await locateJob(producer, named, request.caller, 'Response');
      answered.note(id);
      if (wanted.length > 0) await producer.widenInclude(id, wanted);
      if (!stream) return sendJson(reply, await showResponse(producer, id, named));
      await readKeptJob(producer, id, named);
      const leave = readers.enter(request.caller.tenant);
      return sendEvents(reply, producer.subscribe(id, { signal: whenGone(reply, leave), after }));
    },
  );

  app.post(
    '/v1/responses/:id/cancel',
    {
      ...unknown,
      schema: {
        ...about,
        summary: 'Cancel a response for good',
        body: cancelSchema,
        response: { 200: responseSchema, ...errorAnswers },
      },
    },
    async (request, reply) => {
      // The cancel comes before anything of the job is read, so nothing that a provider wrote there can stop it.
      const named = request.params.id;
      const { id } = await locateJob(producer, named, request.caller, 'Response');
      answered.note(id);
      const { keyName } = request.caller;
      const { verdict } = await producer.cancel(id, { ...request.body, ...(keyName === null ? {} : { keyName }) });
      return sendJson(reply, await showResponse(producer, id, named, verdict));
    },
  );

  app.delete(
    '/v1/responses/:id',
    {
      ...unknown,
      schema: {
        ...about,
        summary: 'Delete a finished job’s request and result; its record and ledger stay',
        response: { 200: z.object({ id: z.string(), object: z.literal('response'), deleted: z.literal(true) }) },
      },
    },
    async request => {
      const named = request.params.id;
      const { id } = await locateJob(producer, named, request.caller, 'Response');
      answered.note(id);
      const { verdict } = await producer.deleteResult(id);
      if (verdict === 'still_open')
        throw new HeadstoneError(
          'invalid_request',
          `Response ${named} has not ended. Cancel it first, or wait for it.`,
        );
      return { id: named, object: 'response' as const, deleted: true as const };
    },
  );

  app.get(
    '/v1/responses/:id/input_items',
    { ...unknown, schema: { ...about, summary: 'List the input of a response', querystring: inputItemsQuerySchema } },
    async request => {
      const named = request.params.id;
      const { id } = await locateJob(producer, named, request.caller, 'Response');
      await readKeptJob(producer, id, named);
      return inputItems(id, await producer.keptRequest(id), request.query);
    },
  );
}
