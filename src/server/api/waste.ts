import { z } from 'zod';
import type { Producer } from '../../producer/producer.ts';
import { daySchema } from '../../shared/contract/days.ts';
import { ledgerRowSchema, wasteDimensionSchema, wasteReportSchema } from '../../shared/contract/ledger.ts';
import { tenantShown } from '../access/permissions.ts';
import { rowAsChosen } from './find-job.ts';
import { limitSchema, listOf } from './pagination.ts';
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
  after: z.string().optional().describe('The last response id of the previous page.'),
});

/** Routes for the ledger and its sums. Callers see their own (I12). */
export function wasteRoutes(app: Api, producer: Producer): void {
  app.get(
    '/v1/waste',
    {
      schema: {
        summary: 'Sums of wasted and used tokens, grouped by one dimension',
        tags: ['waste'],
        querystring: wasteQuerySchema,
        response: { 200: wasteReportSchema, ...errorAnswers },
      },
    },
    async ({ query: { group_by: groupBy, tenant, since, until }, caller }) =>
      await producer.waste({ groupBy, since, until, tenant: tenantShown(caller, tenant) }),
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
      const rows = await producer.ledger({ since, until, tenant: tenantShown(caller, tenant), limit, after });
      return { object: 'list' as const, data: rows.map(rowAsChosen), has_more: rows.length === limit };
    },
  );
}
