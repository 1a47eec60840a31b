import { z } from 'zod';
import { inOrder } from '../../shared/contract/days.ts';
import { jobFilterSchema, jobSchema, jobSummarySchema } from '../../shared/contract/job.ts';
import { jobStatusSchema } from '../../shared/contract/words.ts';
import { locateJob, tenantShown } from '../access/permissions.ts';
import { asChosen, findJob } from './find-job.ts';
import { limitSchema, listOf } from './pagination.ts';
import type { ResponseParts } from './responses.ts';
import { type Api, errorAnswers, idParamsSchema } from './schemas.ts';

const jobsQuerySchema = jobFilterSchema
  .extend({
    limit: limitSchema,
    after: z.string().optional().describe('The last id of the previous page.'),
  })
  .refine(...inOrder);

/** Routes for the records of jobs. Callers see their own (I12). */
export function jobRoutes(app: Api, { producer, passthrough }: Pick<ResponseParts, 'producer' | 'passthrough'>): void {
  app.get(
    '/v1/jobs',
    {
      schema: {
        summary: 'List jobs, the newest first',
        tags: ['jobs'],
        querystring: jobsQuerySchema,
        response: { 200: listOf(jobSummarySchema.omit({ chosen_id: true })), ...errorAnswers },
      },
    },
    async ({ query, caller }) => {
      const { tenant, admin } = caller;
      // The caller may know the last job of the page before by a chosen id.
      const last = query.after && (await producer.locate(query.after, { tenant, seesAll: admin }));
      const after = last ? last.id : query.after;
      const jobs = await producer.list({ ...query, after, tenant: tenantShown(caller, query.tenant) });
      return { object: 'list' as const, data: jobs.map(asChosen), has_more: jobs.length === query.limit };
    },
  );

  app.post(
    '/v1/jobs/:id/retry',
    {
      schema: {
        summary: 'Run a job’s request again, as a new job; an Idempotency-Key makes sending this twice harmless',
        tags: ['jobs'],
        params: idParamsSchema,
        response: { 200: z.object({ id: z.string(), status: jobStatusSchema }), ...errorAnswers },
      },
    },
    async ({ params, caller, headers }, reply) => {
      const { id } = await locateJob(producer, params.id, caller);
      const named = headers['idempotency-key'];
      const key = typeof named === 'string' && named !== '' ? named : undefined;
      // Without a name, sending it again would make and pay another job.
      if (key === undefined) reply.header('x-should-retry', 'false');
      return await producer.retry(id, { key, sharesAccount: await passthrough.sharesAccount(caller) });
    },
  );

  app.get(
    '/v1/jobs/:id',
    {
      schema: {
        summary: 'The record of a job: outcome, launches, tombstone, ledger, timeline',
        tags: ['jobs'],
        params: idParamsSchema,
        response: { 200: jobSchema.omit({ response: true, chosen_id: true }), ...errorAnswers },
      },
    },
    async request => {
      // The record comes without the output, which /v1/responses shows.
      const { response, ...record } = await findJob(producer, request.params.id, request.caller);
      return asChosen(record);
    },
  );
}
