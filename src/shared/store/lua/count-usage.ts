import { z } from 'zod';
import { defineScript } from './script.ts';

/**
 * Marks a settled row as counted, so that each usage is counted once in metrics, whoever settles it and however often.
 * `known_at_last`: its end was counted before, and its usage was not known then.
 */
export const countUsage = defineScript<{ response_id: string }>()({
  name: 'count_usage',
  flags: 'allow-oom',
  body: /* lua */ `
local place = key('row', args.response_id)
local known = redis.call('HMGET', place, 'status', 'kind', 'counted')
if not known[1] then return reply('missing') end
if known[1] == 'pending' or not known[2] then return reply('early') end
-- A usage that was unknown may become known later, and is counted then.
if known[3] == known[1] or known[3] == 'final' then return reply('again') end
redis.call('HSET', place, 'counted', known[1])
return reply(known[3] and 'known_at_last' or 'counted')
`,
  reply: z.object({ reply: z.enum(['counted', 'known_at_last', 'again', 'early', 'missing']) }),
});
