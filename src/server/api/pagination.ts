import { z } from 'zod';

const DEFAULT_PAGE = 50;

export const limitSchema = z.coerce.number().int().min(1).max(1000).default(DEFAULT_PAGE);

/** A page in the shape of OpenAI's lists. */
export function listOf<Schema extends z.ZodType>(item: Schema) {
  return z.object({ object: z.literal('list'), data: z.array(item), has_more: z.boolean() });
}
