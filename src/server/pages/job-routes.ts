import { z } from 'zod';
import type { Producer } from '../../producer/producer.ts';
import { jobStatusSchema, reasonSchema, verdictSchema } from '../../shared/contract/words.ts';
import { locateJob, tenantShown } from '../access/permissions.ts';
import { findJob } from '../api/find-job.ts';
import { type Api, idParamsSchema } from '../api/schemas.ts';
import { cancelPage } from './cancel-page.ts';
import { optionalField } from './form.ts';
import { jobPage } from './job-page.ts';
import { jobsPage } from './jobs-page.ts';
import { isOpen } from './parts.ts';

const PAGE = 50;

const listQuerySchema = z.strictObject({
  status: optionalField(jobStatusSchema),
  tenant: optionalField(z.string()),
  tag: optionalField(z.string()),
  after: optionalField(z.string()),
});

export function jobPageRoutes(app: Api, producer: Producer): void {
  app.get('/jobs', { schema: { querystring: listQuerySchema } }, async ({ query, caller }, reply) => {
    const { after, ...filter } = query;
    const tenant = tenantShown(caller, filter.tenant);
    const jobs = await producer.list({ ...filter, tenant, after, limit: PAGE });
    const next = jobs.length === PAGE ? jobs.at(-1)?.id : undefined;
    return reply
      .type('text/html; charset=utf-8')
      .send(jobsPage({ caller, filter, jobs, next, isFirst: after === undefined }));
  });

  app.get(
    '/jobs/:id',
    { schema: { params: idParamsSchema, querystring: z.object({ verdict: optionalField(verdictSchema) }) } },
    async ({ params, query, caller }, reply) => {
      const job = await findJob(producer, params.id, caller);
      const request = await producer.request(job.id);
      return reply.type('text/html; charset=utf-8').send(jobPage({ caller, job, request, verdict: query.verdict }));
    },
  );

  app.get(
    '/jobs/:id/cancel',
    { schema: { params: idParamsSchema, querystring: z.object({ reason: optionalField(reasonSchema) }) } },
    async ({ params, query, caller }, reply) => {
      const job = await findJob(producer, params.id, caller);
      // It has ended meanwhile, and its page says how.
      if (!isOpen(job)) return reply.redirect(`/jobs/${job.id}`, 303);
      return reply.type('text/html; charset=utf-8').send(cancelPage(caller, job, query.reason));
    },
  );

  app.post(
    '/jobs/:id/cancel',
    { schema: { params: idParamsSchema, body: z.object({ reason: optionalField(reasonSchema) }) } },
    async ({ params, body: { reason }, caller }, reply) => {
      const { id } = await locateJob(producer, params.id, caller);
      const { keyName } = caller;
      const { verdict } = await producer.cancel(id, {
        reason,
        actor: keyName ?? 'operator',
        ...(keyName === null ? {} : { keyName }),
      });
      return reply.redirect(`/jobs/${id}?verdict=${verdict}`, 303);
    },
  );

  app.post('/jobs/:id/webhook/resend', { schema: { params: idParamsSchema } }, async ({ params, caller }, reply) => {
    const { id } = await locateJob(producer, params.id, caller);
    await producer.resendCallback(id);
    return reply.redirect(`/jobs/${id}`, 303);
  });
}
