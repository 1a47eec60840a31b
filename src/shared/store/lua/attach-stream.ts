import { z } from 'zod';
import { defineScript } from './script.ts';

export interface AttachStreamArguments {
  id: string;
  response_id: string;
  /** Of the worker's hold on this stream: writes under another one are refused (I7). */
  token: string;
  /** A holder that was silent for so long is gone. */
  live_ms: number;
}

const replySchema = z.discriminatedUnion('reply', [
  /** `after`: the last sequence number in the store, -1 where there is none · `base`: what the first event of this run has. */
  z.object({
    reply: z.literal('attached'),
    after: z.number(),
    base: z.number(),
    /** Whose the numbers of this run's events are. */
    numbers: z.enum(['theirs', 'ours']),
  }),
  z.object({ reply: z.enum(['held', 'final']) }),
]);

/** Makes one worker the holder of a running response's stream. `held`: another one is alive · `final`: nothing to hold. */
export const attachStream = defineScript<AttachStreamArguments>()({
  name: 'attach_stream',
  body: /* lua */ `
local place = key('job', args.id)
local job = load(place)
if job.status ~= 'running' or job.response_id ~= args.response_id or job.stream ~= 'live' then return reply('final') end
local seen = redis.call('ZSCORE', key('streams'), args.id)
if seen and job.stream_token ~= args.token and tonumber(seen) > now - args.live_ms then return reply('held') end
redis.call('HSET', place, 'stream_token', args.token)
redis.call('ZADD', key('streams'), now, args.id)
return reply('attached', {
  after = tonumber(job.stream_last or -1), base = tonumber(job.stream_base or 0), numbers = job.stream_numbers or 'theirs',
})
`,
  reply: replySchema,
});
