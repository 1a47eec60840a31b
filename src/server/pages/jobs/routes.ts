import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Producer } from '../../../producer/producer.ts';
import { viewQuerySchema } from '../../../shared/contract/view.ts';
import { reasonSchema, verdictSchema } from '../../../shared/contract/words.ts';
import { continuationsOf } from '../../../shared/store/continuations.ts';
import type { KeyRing } from '../../access/key-ring.ts';
import { locateJob, sharesAccount, tenantShown } from '../../access/permissions.ts';
import { findJob } from '../../api/find-job.ts';
import { type Api, idParamsSchema } from '../../api/schemas.ts';
import { optionalField, withoutEmpty } from '../form.ts';
import { isOpen } from '../parts.ts';
import { againPage } from './again-page.ts';
import { cancelPage } from './cancel-page.ts';
import { jobPage } from './job-page.ts';
import { jobsPage } from './list-page.ts';

/** How many jobs that continue a job its page names. */
const MOST_CONTINUATIONS = 10;

export function jobPageRoutes(app: Api, producer: Producer, keyRing: KeyRing | null): void {
  const { store } = producer;

  app.get('/jobs', { schema: { querystring: withoutEmpty(viewQuerySchema) } }, async ({ query, caller }, reply) => {
    const view = await store.view({ ...query, tenant: tenantShown(caller, query.tenant) });
    return reply.type('text/html; charset=utf-8').send(jobsPage({ caller, query, view, now: store.home.now() }));
  });

  app.get(
    '/jobs/:id',
    { schema: { params: idParamsSchema, querystring: z.object({ verdict: optionalField(verdictSchema) }) } },
    async ({ params, query, caller }, reply) => {
      const job = await findJob(producer, params.id, caller);
      const request = await producer.request(job.id);
      const previous = request.previous_response_id;
      const seeker = { tenant: caller.tenant, seesAll: caller.admin };
      const predecessor = typeof previous === 'string' ? await producer.locate(previous, seeker) : null;
      return reply.type('text/html; charset=utf-8').send(
        jobPage({
          caller,
          job,
          request,
          verdict: query.verdict,
          predecessor: predecessor?.id ?? null,
          continuations: await continuationsOf(store, job, MOST_CONTINUATIONS),
          now: store.home.now(),
        }),
      );
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

  app.get('/jobs/:id/again', { schema: { params: idParamsSchema } }, async ({ params, caller }, reply) => {
    const job = await findJob(producer, params.id, caller);
    await producer.keptRequest(job.id);
    return reply.type('text/html; charset=utf-8').send(againPage(caller, job, randomUUID(), store.home.now()));
  });

  app.post(
    '/jobs/:id/again',
    { schema: { params: idParamsSchema, body: z.object({ key: z.string().min(1).max(64) }) } },
    async ({ params, body: { key }, caller }, reply) => {
      const { id } = await locateJob(producer, params.id, caller);
      const shares = await sharesAccount(caller, producer, keyRing?.holdsSeveralTenants ?? false);
      const job = await producer.retry(id, { key, sharesAccount: shares });
      return reply.redirect(`/jobs/${job.id}`, 303);
    },
  );

  app.post('/jobs/:id/webhook/resend', { schema: { params: idParamsSchema } }, async ({ params, caller }, reply) => {
    const { id } = await locateJob(producer, params.id, caller);
    await producer.resendCallback(id);
    return reply.redirect(`/jobs/${id}`, 303);
  });
}
