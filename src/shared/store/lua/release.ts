import { z } from 'zod';
import { defineScript } from './script.ts';
import { workSchema } from './work.ts';

export interface ReleaseArguments {
  scope: string;
  most: number;
}

const replySchema = z.object({ reply: z.enum(['released', 'held']), work: workSchema });

/** Brings parked jobs back when their hold is over: some at a time, and only one while it is an alarm's trial. */
export const release = defineScript<ReleaseArguments>()({
  name: 'release',
  body: /* lua */ `
local held = redis.call('HMGET', key('hold', args.scope), 'until', 'kind')
if held[1] and tonumber(held[1]) > now then return reply('held') end
local most = held[2] == 'alarm' and 1 or args.most
local popped = redis.call('ZPOPMIN', key('parked', args.scope), most)
for i = 1, #popped, 2 do
  local id = popped[i]
  redis.call('HDEL', key('job', id), 'parked_scope')
  schedule('launch', id, now, redis.call('HGET', key('job', id), 'priority') or 0)
end
if redis.call('ZCARD', key('parked', args.scope)) == 0 then redis.call('SREM', key('parked_scopes'), args.scope) end
return reply('released')
`,
  reply: replySchema,
});
