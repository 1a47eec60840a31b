import { z } from 'zod';
import { defineScript } from './script.ts';
import { workSchema } from './work.ts';

export interface DetachStreamArguments {
  id: string;
  token: string;
  /** True: the provider does not play the stream again, so from here on the job is polled. */
  give_up: boolean;
}

const replySchema = z.object({ reply: z.enum(['detached', 'stale']), work: workSchema });

/** Lets go of a stream, so that the next look at the job, which comes at once, can take it up or go without. */
export const detachStream = defineScript<DetachStreamArguments>()({
  name: 'detach_stream',
  flags: 'allow-oom',
  body: /* lua */ `
local place = key('job', args.id)
local fields = redis.call('HMGET', place, 'stream_token', 'status')
if fields[1] ~= args.token then return reply('stale') end
redis.call('HDEL', place, 'stream_token')
redis.call('ZREM', key('streams'), args.id)
if args.give_up then redis.call('HSET', place, 'stream', 'polled') end
if fields[2] == 'running' then schedule('poll', args.id, now) end
return reply('detached')
`,
  reply: replySchema,
});
