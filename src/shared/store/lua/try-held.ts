import { z } from 'zod';
import { defineScript } from './script.ts';

/** Ends the wait of a hold: of an alarm, the next job tries now; of a rate limit, all go on. */
export const tryHeld = defineScript<{ scope: string }>()({
  name: 'try_held',
  body: /* lua */ `
local place = key('hold', args.scope)
if redis.call('EXISTS', place) == 0 then return reply('missing') end
redis.call('HSET', place, 'until', int(now))
return reply('tried')
`,
  reply: z.object({ reply: z.enum(['tried', 'missing']) }),
});
