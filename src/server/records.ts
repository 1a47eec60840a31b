import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Producer } from '../producer/producer.ts';
import { parseInput } from '../shared/contract/errors.ts';
import { daySchema, wasteDimensionSchema } from '../shared/contract/ledger.ts';
import { jobStatusSchema } from '../shared/contract/words.ts';
import { findJob } from './find-job.ts';
import type { Caller } from './sign-in.ts';

const DEFAULT_PAGE = 50;

const limitSchema = z.coerce.number().int().min(1).max(1000).default(DEFAULT_PAGE);

const jobsQuerySchema = z.strictObject({
  status: jobStatusSchema.optional(),
  tenant: z.string().optional(),
  tag: z.string().optional(),
  limit: limitSchema,
  after: z.string().optional(),
});

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
  after: z.string().optional(),
});

const DAY_MS = 86_400_000;

/** What OpenAI's API has no words for: the records, the ledger and the sums, each caller's own (I12). */
export function recordRoutes(app: FastifyInstance, producer: Producer): void {
  app.get('/v1/jobs', async request => {
    const query = parseInput(jobsQuerySchema, request.query);
    const jobs = await producer.list(defined({ ...query, tenant: tenantOf(request.caller, query.tenant) }));
    return { object: 'list', data: jobs, has_more: jobs.length === query.limit };
  });

  app.get<{ Params: { id: string } }>('/v1/jobs/:id', async request => {
    // The record without the output: that is what /v1/responses is for.
    const { response, ...record } = await findJob(producer, request.params.id, request.caller);
    return record;
  });

  app.get('/v1/waste', async request => {
    const { group_by: groupBy, tenant, since, until } = parseInput(wasteQuerySchema, request.query);
    return await producer.waste(defined({ groupBy, since, until, tenant: tenantOf(request.caller, tenant) }));
  });

  app.get('/v1/ledger', async request => {
    const { since, until, tenant, limit, after } = parseInput(ledgerQuerySchema, request.query);
    const rows = await producer.ledger(
      defined({
        sinceMs: since && Date.parse(since),
        // The day named is included.
        untilMs: until && Date.parse(until) + DAY_MS - 1,
        tenant: tenantOf(request.caller, tenant),
        limit,
        after,
      }) as Parameters<Producer['ledger']>[0],
    );
    return { object: 'list', data: rows, has_more: rows.length === limit };
  });
}

/** An admin sees whom they ask for, or everybody; anybody else sees their own, whatever they ask for. */
function tenantOf(caller: Caller, asked: string | undefined): string | undefined {
  return caller.admin ? asked : caller.tenant;
}

/** Without the fields that were not given: the schemas behind know no undefined. */
function defined<Query extends object>(query: Query): Query {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Query;
}
