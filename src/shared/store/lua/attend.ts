import { z } from 'zod';
import { defineScript } from './script.ts';

/** How long a process speaks for its callers without saying so again. */
export const ATTENDED_FOR_MS = 30_000;

/** The reason of a cancel for which nobody asked in words: all callers that waited for the job have gone. */
export const CLIENT_DISCONNECTED = 'client_disconnected';

export interface AttendArguments {
  id: string;
  /** The process that has the callers. */
  by: string;
  /** How long it speaks for them: until it says so again or, once they have left, for the grace. */
  for_ms: number;
  /** Given when the last of them has left: what they sent. An equal create within `for_ms` takes the job over. */
  left?: string | undefined;
}

const replySchema = z.object({ reply: z.enum(['attended', 'over', 'missing']) });

/**
 * Notes that callers wait for a job in some process. A job that was attended and is no longer is cancelled: by the process
 * whose callers left, or by a sweeper if that process has died. `over`: the job has its outcome, and nothing is noted.
 */
export const attend = defineScript<AttendArguments>()({
  name: 'attend',
  flags: 'allow-oom',
  body: /* lua */ `
local known = redis.call('HMGET', key('job', args.id), 'status', 'attended')
if not known[1] then return reply('missing') end
if not open[known[1]] then return reply('over') end
if not known[2] then redis.call('HSET', key('job', args.id), 'attended', '1') end
local place = key('attending', args.id)
redis.call('ZADD', place, int(now + args.for_ms), args.by)
local last = redis.call('ZRANGE', place, -1, -1, 'WITHSCORES')
redis.call('ZADD', key('attended'), last[2], args.id)
redis.call('ZREM', key('last_calls'), args.id)
if args.left then redis.call('SET', key('left', args.left), args.id, 'PX', math.max(1, args.for_ms)) end
return reply('attended')
`,
  reply: replySchema,
});
