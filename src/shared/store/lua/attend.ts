import { z } from 'zod';
import { defineScript } from './script.ts';

/** How long a process speaks for its callers without saying so again. */
export const ATTENDED_FOR_MS = 30_000;

/**
 * How long a process that has said nothing for so long may still do so, because after an outage of Redis a sweeper may be the
 * first to come back. It speaks every ten seconds, and each second after a failure.
 */
export const LAST_CALL_MS = 20_000;

export interface AttendArguments {
  id: string;
  /** The process that has the callers. */
  by: string;
  /** How long it speaks for them: until it says so again or, once they have left, for the grace. */
  for_ms: number;
  /** What the callers sent, if nothing names it. */
  sent?: string | undefined;
  /** True when the last of them has left. An equal create within `for_ms` takes the job over. */
  have_left?: boolean;
}

const replySchema = z.object({ reply: z.enum(['attended', 'unattended', 'over', 'missing']) });

/**
 * Notes that callers wait for a job in some process. A job that is attended and then is no longer is cancelled: by the process
 * whose callers left, or by a sweeper if that process has died. `unattended`: the job was not enqueued to be waited for, or a
 * caller let it go on without them. `over`: it has its outcome. Neither notes anything.
 */
export const attend = defineScript<AttendArguments>()({
  name: 'attend',
  flags: 'allow-oom',
  body: /* lua */ `
local known = redis.call('HMGET', key('job', args.id), 'status', 'attended')
if not known[1] then return reply('missing') end
if not open[known[1]] then return reply('over') end
if not known[2] then return reply('unattended') end
local place = key('attending', args.id)
redis.call('ZADD', place, int(now + args.for_ms), args.by)
local last = redis.call('ZRANGE', place, -1, -1, 'WITHSCORES')
redis.call('ZADD', key('attended'), last[2], args.id)
local others = redis.call('ZCOUNT', place, '(' .. int(now), '+inf') - 1
redis.call('ZREM', key('last_calls'), args.id)
if args.sent then
  local left = key('left', args.sent)
  -- While callers of another process wait, the job is not free to be taken over.
  if args.have_left and others <= 0 then
    redis.call('SET', left, args.id, 'PX', math.max(1, args.for_ms))
  elseif not args.have_left and redis.call('GET', left) == args.id then
    redis.call('DEL', left)
  end
end
return reply('attended')
`,
  reply: replySchema,
});

/** Lets a job go on without its callers, because one of them asked for that. */
export const letGoOn = defineScript<{ id: string }>()({
  name: 'let_go_on',
  flags: 'allow-oom',
  body: /* lua */ `
if redis.call('HDEL', key('job', args.id), 'attended') == 0 then return reply('unattended') end
redis.call('DEL', key('attending', args.id))
redis.call('ZREM', key('attended'), args.id)
redis.call('ZREM', key('last_calls'), args.id)
return reply('let_go_on')
`,
  reply: z.object({ reply: z.enum(['let_go_on', 'unattended']) }),
});
