import { createHash } from 'node:crypto';
import { z } from 'zod';
import { HeadstoneError } from '../../shared/contract/errors.ts';

export const inputItemsQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(['asc', 'desc']).default('desc'),
  after: z.string().optional(),
});
type InputItemsQuery = z.infer<typeof inputItemsQuerySchema>;

type Item = Record<string, unknown> & { id: string };

/** A page of a request's input, in the shape of OpenAI's list: items with ids. */
export function inputItems(jobId: string, request: Record<string, unknown>, { limit, order, after }: InputItemsQuery) {
  const { input } = request;
  const given = typeof input === 'string' ? [{ role: 'user', content: input }] : Array.isArray(input) ? input : [];
  const items = given.map((item: Record<string, unknown>, position) => asItem(item, jobId, position));
  if (order === 'desc') items.reverse();
  const start = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0)
    throw new HeadstoneError('invalid_request', `after is not an item of this response: ${after}.`, { param: 'after' });
  const data = items.slice(start, start + limit);
  return {
    object: 'list' as const,
    data,
    first_id: data.at(0)?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + limit < items.length,
  };
}

/** Writes out a message that was given in short, as a role and a text. */
function asItem(item: Record<string, unknown>, jobId: string, position: number): Item {
  const isMessage = item.type === undefined || item.type === 'message';
  const id = typeof item.id === 'string' ? item.id : itemId(isMessage ? 'msg' : 'item', jobId, position);
  if (!isMessage) return { ...item, id };
  const { role, content } = item;
  const type = role === 'assistant' ? 'output_text' : 'input_text';
  return {
    ...item,
    id,
    type: 'message',
    role,
    content: typeof content === 'string' ? [{ type, text: content }] : content,
  };
}

/** An id that is the same at every read. */
function itemId(kind: string, jobId: string, position: number): string {
  const digest = createHash('sha256').update(`${jobId}/${position}`).digest('hex');
  return `${kind}_${digest.slice(0, 32)}`;
}
