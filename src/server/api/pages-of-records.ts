import { z } from 'zod';
import type { Caller } from '../access/sign-in.ts';

const DEFAULT_PAGE = 50;

export const limitSchema = z.coerce.number().int().min(1).max(1000).default(DEFAULT_PAGE);

/** A page as OpenAI's lists have it. */
export function listOf<Schema extends z.ZodType>(item: Schema) {
  return z.object({ object: z.literal('list'), data: z.array(item), has_more: z.boolean() });
}

/** An admin sees whom they ask for, or everybody; anybody else sees their own, whatever they ask for (I12). */
export function tenantAskedFor(caller: Caller, asked: string | undefined): string | undefined {
  return caller.admin ? asked : caller.tenant;
}

/** Without the fields that were not given: the schemas behind know no undefined. */
export function defined<Query extends object>(query: Query): Query {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Query;
}
