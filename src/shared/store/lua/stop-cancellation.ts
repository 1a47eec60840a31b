import { z } from 'zod';
import { defineScript } from './script.ts';

export interface StopCancellationArguments {
  id: string;
}

const replySchema = z.object({ reply: z.enum(['stopped', 'done', 'missing']) });

/** Leaves alone what was not cancelled yet. What was stays cancelled (I2). */
export const stopCancellation = defineScript<StopCancellationArguments>()({
  name: 'stop_cancellation',
  flags: 'allow-oom',
  body: /* lua */ `
local place = key('cancellation', args.id)
local status = redis.call('HGET', place, 'status')
if not status then return reply('missing') end
if status == 'running' then
  redis.call('HSET', place, 'status', 'stopped')
  redis.call('ZREM', key('cancellations'), args.id)
  status = 'stopped'
end
return reply(status)
`,
  reply: replySchema,
});
