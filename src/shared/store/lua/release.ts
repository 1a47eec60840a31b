import { z } from 'zod';
import { holdPart } from './hold-part.ts';
import { defineScript } from './script.ts';
import { workSchema } from './work.ts';

export interface ReleaseArguments {
  scope: string;
  most: number;
}

const replySchema = z.object({ reply: z.enum(['released', 'held']), work: workSchema });

/**
 * Brings parked jobs back when their hold is over: some at a time, and only one while it is an alarm's trial. A job that a
 * narrower alarm has for itself waits there, so that no trial of this one is spent on it.
 */
export const release = defineScript<ReleaseArguments>()({
  name: 'release',
  parts: [holdPart],
  body: /* lua */ `
local most_looked_at = 500
local parked = key('parked', args.scope)

local function narrower_alarm(job)
  for _, scope in ipairs(scopes_of(job)) do
    if scope == args.scope then return nil end
    if redis.call('HGET', key('hold', scope), 'kind') == 'alarm' then return scope end
  end
end

local held = redis.call('HMGET', key('hold', args.scope), 'until', 'kind')
if held[1] and tonumber(held[1]) > now then return reply('held') end
local most = held[2] == 'alarm' and 1 or args.most
for _, id in ipairs(redis.call('ZRANGE', parked, 0, most_looked_at - 1)) do
  if most == 0 then break end
  redis.call('ZREM', parked, id)
  local job = load(key('job', id))
  local scope = job.status == 'queued' and narrower_alarm(job)
  if scope then
    park(id, job, scope)
  else
    most = most - 1
    redis.call('HDEL', key('job', id), 'parked_scope')
    schedule('launch', id, now, job.priority or 0)
  end
end
if redis.call('ZCARD', parked) == 0 then redis.call('SREM', key('parked_scopes'), args.scope) end
return reply('released')
`,
  reply: replySchema,
});
