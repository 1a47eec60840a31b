import { stringify } from 'csv-stringify/sync';
import { z } from 'zod';
import type { Producer } from '../../../producer/producer.ts';
import { daySchema } from '../../../shared/contract/days.ts';
import { wasteDimensionSchema } from '../../../shared/contract/ledger.ts';
import { wasteRowsQuerySchema } from '../../../shared/contract/waste-rows.ts';
import { tenantShown } from '../../access/permissions.ts';
import type { Api } from '../../api/schemas.ts';
import { optionalField, withoutEmpty } from '../form.ts';
import { rowsPage } from './rows-page.ts';
import { wastePage } from './waste-page.ts';

const wasteQuerySchema = z.strictObject({
  by: z.preprocess(value => value || 'model', wasteDimensionSchema.exclude(['day'])),
  since: optionalField(daySchema),
  until: optionalField(daySchema),
  tenant: optionalField(z.string()),
});

export function wastePageRoutes(app: Api, producer: Producer): void {
  const { store } = producer;

  app.get('/waste', { schema: { querystring: wasteQuerySchema } }, async ({ query, caller }, reply) => {
    const { by, since, until } = query;
    const tenant = tenantShown(caller, query.tenant);
    const period = { since, until, tenant };
    const [byDay, report, byActor] = await store.wasteBy(['day', by, 'actor'], period);
    return reply
      .type('text/html; charset=utf-8')
      .send(
        wastePage({ caller, by, since, until, tenant: query.tenant, byDay, report, byActor, now: store.home.now() }),
      );
  });

  app.get('/waste/sums.csv', { schema: { querystring: wasteQuerySchema } }, async ({ query, caller }, reply) => {
    const { by, since, until } = query;
    const { data } = await producer.waste({ groupBy: by, since, until, tenant: tenantShown(caller, query.tenant) });
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="waste-by-${by}.csv"`)
      .send(
        stringify(
          data.map(({ key, ...sum }) => ({ [by]: key, ...sum })),
          { header: true, escape_formulas: true },
        ),
      );
  });

  app.get(
    '/waste/responses',
    { schema: { querystring: withoutEmpty(wasteRowsQuerySchema, ['key']) } },
    async ({ query, caller }, reply) => {
      const tenant = tenantShown(caller, query.tenant);
      const view = await store.viewRows({ ...query, tenant });
      return reply.type('text/html; charset=utf-8').send(rowsPage({ caller, query, view, now: store.home.now() }));
    },
  );
}
