import { z } from 'zod';
import { idOfKey } from '../../producer/cancellations.ts';
import type { Producer } from '../../producer/producer.ts';
import {
  cancellationEstimateSchema,
  cancellationFilterSchema,
  cancellationOptionsSchema,
  cancellationSchema,
} from '../../shared/contract/cancellation.ts';
import type { CancellationDriver } from '../../shared/store/cancellation-driver.ts';
import { assertAdmin } from '../access/permissions.ts';
import { limitSchema } from './pagination.ts';
import { type Api, errorAnswers, idParamsSchema } from './schemas.ts';

const beginSchema = cancellationOptionsSchema
  .pick({ reason: true, actor: true })
  .extend({ filter: cancellationFilterSchema, dry_run: z.boolean().optional() });

/** Routes that cancel many jobs at once, for admins. */
export function cancellationRoutes(app: Api, producer: Producer, driver: CancellationDriver): void {
  const { cancellations } = producer;
  const about = { tags: ['cancellations'] };
  const answers = { 200: cancellationSchema, ...errorAnswers };

  app.post(
    '/v1/cancellations',
    {
      schema: {
        ...about,
        summary: 'Cancel all open jobs that match a filter; with dry_run, only say what that would do',
        body: beginSchema,
        response: { 200: cancellationEstimateSchema, 202: cancellationSchema, ...errorAnswers },
      },
    },
    async (request, reply) => {
      assertAdmin(request.caller);
      const { filter, dry_run: dryRun, reason, actor } = request.body;
      if (dryRun) return reply.code(200).send(await cancellations.estimate(filter));
      const { keyName } = request.caller;
      const key = request.headers['idempotency-key'];
      const cancellation = await cancellations.begin(filter, {
        reason,
        actor,
        ...(keyName === null ? {} : { keyName }),
        ...(typeof key === 'string' && key !== '' ? { id: idOfKey(keyName, key) } : {}),
      });
      driver.drive(cancellation.id);
      return reply.code(202).send(cancellation);
    },
  );

  app.get(
    '/v1/cancellations',
    {
      schema: {
        ...about,
        summary: 'The newest cancellations of many jobs; they are kept for 7 days',
        querystring: z.strictObject({ limit: limitSchema }),
        response: { 200: z.object({ object: z.literal('list'), data: z.array(cancellationSchema) }), ...errorAnswers },
      },
    },
    async ({ query: { limit }, caller }) => {
      assertAdmin(caller);
      return { object: 'list' as const, data: await cancellations.list(limit) };
    },
  );

  app.get(
    '/v1/cancellations/:id',
    { schema: { ...about, summary: 'How far a cancellation has come', params: idParamsSchema, response: answers } },
    async request => {
      assertAdmin(request.caller);
      return await cancellations.get(request.params.id);
    },
  );

  app.delete(
    '/v1/cancellations/:id',
    {
      schema: {
        ...about,
        summary: 'Stop a cancellation; what it has cancelled stays cancelled',
        params: idParamsSchema,
        response: answers,
      },
    },
    async request => {
      assertAdmin(request.caller);
      return await cancellations.stop(request.params.id);
    },
  );
}
