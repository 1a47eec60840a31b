import { z } from 'zod';
import type { Producer } from '../../../producer/producer.ts';
import { daySchema } from '../../../shared/contract/days.ts';
import { wasteDimensionSchema } from '../../../shared/contract/ledger.ts';
import { tenantShown } from '../../access/permissions.ts';
import type { Api } from '../../api/schemas.ts';
import { optionalField } from '../form.ts';
import { wastePage } from './waste-page.ts';

const wasteQuerySchema = z.strictObject({
  by: z.preprocess(value => value || 'model', wasteDimensionSchema.exclude(['day'])),
  since: optionalField(daySchema),
  until: optionalField(daySchema),
  tenant: optionalField(z.string()),
});

export function wastePageRoutes(app: Api, producer: Producer): void {
  app.get('/waste', { schema: { querystring: wasteQuerySchema } }, async ({ query, caller }, reply) => {
    const { by, since, until } = query;
    const tenant = tenantShown(caller, query.tenant);
    const period = { since, until, tenant };
    const [byDay, report] = await Promise.all([
      producer.waste({ groupBy: 'day', ...period }),
      producer.waste({ groupBy: by, ...period }),
    ]);
    return reply
      .type('text/html; charset=utf-8')
      .send(wastePage({ caller, by, since, until, tenant: query.tenant, byDay, report }));
  });
}
