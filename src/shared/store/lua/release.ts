import { z } from 'zod';
import { holdPart } from './hold-part.ts';
import { defineScript } from './script.ts';
import { workSchema } from './work.ts';

export interface ReleaseArguments {
  scope: string;
  /** How many jobs to bring back at once. */
  limit: number;
}

const replySchema = z.object({ reply: z.enum(['released', 'held']), work: workSchema });

/**
 * Brings parked jobs back when their hold has ended. After an alarm only one job comes back: it tries whether the cause is
 * gone. A job under a narrower alarm is parked there instead, so that the trial is not spent on it.
 */
export const release = defineScript<ReleaseArguments>()({
  name: 'release',
  isLong: true,
  parts: [holdPart],
  body: /* lua */ `
local most_looked_at = 500
local parked = key('parked', args.scope)

local held = redis.call('HMGET', key('hold', args.scope), 'until', 'kind')
if held[1] and tonumber(held[1]) > now then return reply('held') end
local left = held[2] == 'alarm' and 1 or args.limit
for _, id in ipairs(redis.call('ZRANGE', parked, 0, most_looked_at - 1)) do
  if left == 0 then break end
  redis.call('ZREM', parked, id)
  local job = load_job(id)
  local scope = job.status == 'queued' and narrower_alarm(job, args.scope)
  if scope then
    park(id, job, scope)
  else
    left = left - 1
    redis.call('HDEL', key('job', id), 'parked_scope')
    schedule('launch', id, now, job.priority or 0)
  end
end
if redis.call('ZCARD', parked) == 0 then redis.call('SREM', key('parked_scopes'), args.scope) end
return reply('released')
`,
  reply: replySchema,
});
