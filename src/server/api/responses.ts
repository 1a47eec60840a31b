import { z } from 'zod';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { cancelOptionsSchema } from '../../shared/contract/request.ts';
import { Answered } from './answered.ts';
import { sendEvents } from './event-stream.ts';
import { findJob, findKeptJob, showResponse } from './find-job.ts';
import { inputItems, inputItemsQuerySchema } from './input-items.ts';
import type { Passthrough } from './passthrough.ts';
import { type Api, errorAnswers, idParamsSchema, responseSchema } from './schemas.ts';

/** The caller's own words; the key's name is not theirs to claim. */
const cancelSchema = cancelOptionsSchema.omit({ keyName: true }).nullish();

const readQuerySchema = z.object({
  stream: z
    .enum(['true', 'false'])
    .transform(text => text === 'true')
    .optional(),
  starting_after: z.coerce.number().int().nonnegative().optional().describe('The last sequence number that is known.'),
});

/** The part of OpenAI's API that reads and ends background responses. */
export function responseRoutes(app: Api, producer: Producer, passthrough: Passthrough): void {
  const about = { tags: ['responses'], params: idParamsSchema };
  const strangers = { preHandler: passthrough.forStrangers };
  const answered = new Answered(producer.store);

  app.get(
    '/v1/responses/:id',
    {
      ...strangers,
      schema: {
        ...about,
        summary: 'Read a response, or with stream=true follow its events',
        querystring: readQuerySchema,
        response: { 200: responseSchema, ...errorAnswers },
      },
    },
    async (request, reply) => {
      const { stream, starting_after: after } = request.query;
      if (stream) {
        const { id } = await findKeptJob(producer, request.params.id, request.caller);
        answered.note(id);
        return sendEvents(reply, signal =>
          producer.subscribe(id, { signal, ...(after === undefined ? {} : { after }) }),
        );
      }
      const body = await showResponse(producer, request.params.id, request.caller);
      answered.note(body.id);
      return body;
    },
  );

  app.post(
    '/v1/responses/:id/cancel',
    {
      ...strangers,
      schema: {
        ...about,
        summary: 'Cancel, finally',
        body: cancelSchema,
        response: { 200: responseSchema, ...errorAnswers },
      },
    },
    async request => {
      const { id } = request.params;
      await findJob(producer, id, request.caller);
      answered.note(id);
      const { keyName } = request.caller;
      const { verdict } = await producer.cancel(id, { ...request.body, ...(keyName === null ? {} : { keyName }) });
      const body = await showResponse(producer, id, request.caller);
      return { ...body, headstone: { ...body.headstone, verdict } };
    },
  );

  app.delete(
    '/v1/responses/:id',
    {
      ...strangers,
      schema: {
        ...about,
        summary: 'Forget a finished job’s result; its record and its ledger stay',
        response: { 200: z.object({ id: z.string(), object: z.literal('response'), deleted: z.literal(true) }) },
      },
    },
    async request => {
      const { id } = request.params;
      await findJob(producer, id, request.caller);
      answered.note(id);
      const { verdict } = await producer.deleteResult(id);
      if (verdict === 'still_open')
        throw new HeadstoneError('invalid_request', `Response ${id} has not ended: cancel it first, or wait for it.`);
      return { id, object: 'response' as const, deleted: true as const };
    },
  );

  app.get(
    '/v1/responses/:id/input_items',
    { ...strangers, schema: { ...about, summary: 'What was asked', querystring: inputItemsQuerySchema } },
    async request => {
      const { id } = await findKeptJob(producer, request.params.id, request.caller);
      return inputItems(id, await producer.keptRequest(id), request.query);
    },
  );
}
