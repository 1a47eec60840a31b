import { z } from 'zod';
import type { Producer } from '../../../producer/producer.ts';
import { readOverview } from '../../../shared/store/overview.ts';
import { assertAdmin, tenantShown } from '../../access/permissions.ts';
import type { Api } from '../../api/schemas.ts';
import type { Notices } from '../notices.ts';
import { overviewPage } from './overview-page.ts';

/** The overview, for whoever opens Headstone, and its buttons, for admins. */
export function overviewRoutes(app: Api, producer: Producer, notices: Notices): void {
  const { store, configuration } = producer;

  for (const path of ['/', '/status'])
    app.get(path, { schema: { querystring: z.strictObject({}) } }, async ({ caller }, reply) => {
      const tenant = tenantShown(caller, undefined);
      const now = store.home.now();
      const today = new Date(now).toISOString().slice(0, 10);
      const [overview, [month, causes], ofToday] = await Promise.all([
        caller.admin ? readOverview(store, configuration.recordTtlMs) : null,
        store.wasteBy(['day', 'reason'], { tenant }),
        producer.waste({ groupBy: 'day', tenant, since: today, until: today }),
      ]);
      return reply
        .type('text/html; charset=utf-8')
        .send(overviewPage({ caller, overview, month, causes, today: ofToday.totals, now }));
    });

  for (const [word, isPaused] of [
    ['pause', true],
    ['resume', false],
  ] as const)
    app.post(`/launch/${word}`, async ({ caller }, reply) => {
      assertAdmin(caller);
      await producer.pauseLaunch(isPaused);
      notices.forget();
      return reply.redirect('/', 303);
    });

  app.post(
    '/holds/release',
    { schema: { body: z.object({ scope: z.string().min(1).max(500) }) } },
    async ({ body, caller }, reply) => {
      assertAdmin(caller);
      await producer.releaseHold(body.scope);
      notices.forget();
      return reply.redirect('/', 303);
    },
  );
}
