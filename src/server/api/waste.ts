import { z } from 'zod';
import type { Producer } from '../../producer/producer.ts';
import { daySchema, ledgerRowSchema, wasteDimensionSchema, wasteReportSchema } from '../../shared/contract/ledger.ts';
import { rowAsChosen } from './find-job.ts';
import { defined, limitSchema, listOf, tenantAskedFor } from './pages-of-records.ts';
import { type Api, errorAnswers } from './schemas.ts';

const wasteQuerySchema = z.strictObject({
  group_by: wasteDimensionSchema.optional(),
  tenant: z.string().optional(),
  since: daySchema.optional(),
  until: daySchema.optional(),
});

const ledgerQuerySchema = z.strictObject({
  tenant: z.string().optional(),
  since: daySchema.optional(),
  until: daySchema.optional(),
  limit: limitSchema,
  after: z.string().optional().describe('The last response id of the page before.'),
});

const DAY_MS = 86_400_000;

/** The ledger and its sums, each caller's own (I12). */
export function wasteRoutes(app: Api, producer: Producer): void {
  app.get(
    '/v1/waste',
    {
      schema: {
        summary: 'Wasted beside used tokens, summed under one dimension',
        tags: ['waste'],
        querystring: wasteQuerySchema,
        response: { 200: wasteReportSchema, ...errorAnswers },
      },
    },
    async ({ query: { group_by: groupBy, tenant, since, until }, caller }) =>
      await producer.waste(defined({ groupBy, since, until, tenant: tenantAskedFor(caller, tenant) })),
  );

  app.get(
    '/v1/ledger',
    {
      schema: {
        summary: 'The rows of the ledger, the oldest first',
        tags: ['waste'],
        querystring: ledgerQuerySchema,
        response: { 200: listOf(ledgerRowSchema.omit({ chosen_job_id: true })), ...errorAnswers },
      },
    },
    async ({ query: { since, until, tenant, limit, after }, caller }) => {
      const rows = await producer.ledger(
        defined({
          sinceMs: since && Date.parse(since),
          // The day named is included.
          untilMs: until && Date.parse(until) + DAY_MS - 1,
          tenant: tenantAskedFor(caller, tenant),
          limit,
          after,
        }) as Parameters<Producer['ledger']>[0],
      );
      return { object: 'list' as const, data: rows.map(rowAsChosen), has_more: rows.length === limit };
    },
  );
}
