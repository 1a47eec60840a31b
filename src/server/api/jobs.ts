import { z } from 'zod';
import type { Producer } from '../../producer/producer.ts';
import { jobSchema, jobSummarySchema } from '../../shared/contract/job.ts';
import { jobStatusSchema } from '../../shared/contract/words.ts';
import { asChosen, findJob } from './find-job.ts';
import { defined, limitSchema, listOf, tenantAskedFor } from './pages-of-records.ts';
import { type Api, errorAnswers, idParamsSchema } from './schemas.ts';

export const jobsQuerySchema = z.strictObject({
  status: jobStatusSchema.optional(),
  tenant: z.string().optional(),
  tag: z.string().optional(),
  limit: limitSchema,
  after: z.string().optional().describe('The last id of the page before.'),
});

/** The records, each caller's own (I12). */
export function jobRoutes(app: Api, producer: Producer): void {
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
      // The caller may know the last job of the page before by the id that they chose.
      const last = query.after && (await producer.locate(query.after, { tenant, seesAll: admin }));
      const after = last ? last.id : query.after;
      const jobs = await producer.list(defined({ ...query, after, tenant: tenantAskedFor(caller, query.tenant) }));
      return { object: 'list' as const, data: jobs.map(asChosen), has_more: jobs.length === query.limit };
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
      // The record without the output: that is what /v1/responses is for.
      const { response, ...record } = await findJob(producer, request.params.id, request.caller);
      return asChosen(record);
    },
  );
}
