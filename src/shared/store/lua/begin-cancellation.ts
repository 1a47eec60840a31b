import { z } from 'zod';
import type { StoredFilter } from './matching-part.ts';
import { defineScript } from './script.ts';

export interface BeginCancellationArguments {
  id: string;
  filter: StoredFilter;
  /** As the caller gave it, JSON. */
  shown_filter: string;
  reason?: string;
  actor?: string;
  key_name?: string;
  expected: number;
  keep_ms: number;
}

const replySchema = z.object({ reply: z.enum(['begun', 'same', 'conflict']) });

/**
 * Writes down what is to be cancelled; the work goes on from this record in whichever process. Only jobs that are there
 * by now are meant. `same`: the id is known with the same filter · `conflict`: with another one.
 */
export const beginCancellation = defineScript<BeginCancellationArguments>()({
  name: 'begin_cancellation',
  flags: 'allow-oom',
  body: /* lua */ `
local place = key('cancellation', args.id)
local known = redis.call('HGET', place, 'shown_filter')
if known then return reply(known == args.shown_filter and 'same' or 'conflict') end
local below = args.filter.ids and #args.filter.ids + 1 or tonumber(redis.call('GET', key('sequence')) or 0) + 1
redis.call('HSET', place,
  'id', args.id, 'status', 'running', 'filter', cjson.encode(args.filter), 'shown_filter', args.shown_filter,
  'below', string.format('%.0f', below), 'expected', args.expected, 'examined', 0, 'cancelled', 0,
  'created_at', now, 'advanced_at', now)
for _, name in ipairs({'reason', 'actor', 'key_name'}) do
  if args[name] then redis.call('HSET', place, name, args[name]) end
end
redis.call('PEXPIRE', place, args.keep_ms)
redis.call('ZADD', key('cancellations'), now, args.id)
return reply('begun')
`,
  reply: replySchema,
});
