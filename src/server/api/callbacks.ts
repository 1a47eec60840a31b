import { z } from 'zod';
import type { Producer } from '../../producer/producer.ts';
import { tenantSchema } from '../../shared/contract/words.ts';
import { locateJob } from '../access/permissions.ts';
import { type Api, errorAnswers, idParamsSchema } from './schemas.ts';

/** Routes about the messages that are sent to jobs' callbacks. */
export function callbackRoutes(app: Api, producer: Producer): void {
  app.post(
    '/v1/jobs/:id/webhook/resend',
    {
      schema: {
        summary: 'Send the message about a job’s outcome to its callback_url again',
        tags: ['jobs'],
        params: idParamsSchema,
        response: { 200: z.object({ id: z.string(), resent: z.literal(true) }), ...errorAnswers },
      },
    },
    async ({ params, caller }) => {
      const { id } = await locateJob(producer, params.id, caller);
      await producer.resendCallback(id);
      return { id: params.id, resent: true as const };
    },
  );

  app.get(
    '/v1/webhook_secret',
    {
      schema: {
        summary: 'The secret with which messages to the callbacks of your jobs are signed',
        tags: ['jobs'],
        querystring: z.strictObject({ tenant: tenantSchema.optional().describe('Another tenant’s, for admins.') }),
        response: { 200: z.object({ tenant: z.string(), secret: z.string() }), ...errorAnswers },
      },
    },
    async ({ query, caller }, reply) => {
      const tenant = caller.admin ? (query.tenant ?? caller.tenant) : caller.tenant;
      reply.header('cache-control', 'no-store');
      return { tenant, secret: await producer.callbackSecret(tenant) };
    },
  );
}
