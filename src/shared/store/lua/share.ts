import { z } from 'zod';
import { defineScript } from './script.ts';

export interface ShareArguments {
  /** Rises with each worker that shares out. One that was replaced changes nothing any more. */
  term: number;
  /** How many responses of this lane may run at once. Left out, nothing changes. */
  in_flight?: number;
  /** How many polls of this lane may be sent in `duration_ms`. */
  polls?: number;
  duration_ms?: number;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({
    reply: z.literal('shared'),
    in_flight: z.number(),
    /** Polls per second. */
    polls: z.number(),
    /** Responses that run, and jobs that wait for a launch. */
    running: z.number(),
    waiting: z.number(),
    /** Polls that are due. */
    due: z.number(),
  }),
  z.object({ reply: z.literal('stale') }),
]);
export type LaneShare = Extract<z.output<typeof replySchema>, { reply: 'shared' }>;

/**
 * Reads or changes what a lane may use of the caps that all lanes share, and says what it needs. A share is never less than what
 * runs: it falls when responses end. A lane that has no share yet has what runs in it.
 */
export const share = defineScript<ShareArguments>()({
  name: 'share',
  flags: 'allow-oom',
  body: /* lua */ `
local place = key('share')
local known = redis.call('HMGET', place, 'term', 'in_flight')
if args.term < tonumber(known[1] or 0) then return reply('stale') end
local running = redis.call('ZCARD', key('status', 'launching')) + redis.call('ZCARD', key('status', 'running'))
local in_flight = tonumber(known[2] or running)
if args.in_flight then
  in_flight = args.in_flight < in_flight and math.max(args.in_flight, math.min(in_flight, running)) or args.in_flight
end
redis.call('HSET', place, 'term', int(args.term), 'in_flight', int(in_flight))

-- BullMQ reads the limit of a queue from here.
local meta = key('poll', 'meta')
if args.polls then
  redis.call('HSET', meta, 'max', int(args.polls), 'duration', int(args.duration_ms))
  -- BullMQ's count of the time that has begun ends with the new time, or a slow limit would outlast a fast one.
  local count = key('poll', 'limiter')
  if redis.call('PTTL', count) > args.duration_ms then redis.call('PEXPIRE', count, int(args.duration_ms)) end
end
local limit = redis.call('HMGET', meta, 'max', 'duration')
local launch, poll = key('launch', ''), key('poll', '')
local due = int((now + 1000) * 0x1000)
return reply('shared', {
  in_flight = in_flight, polls = limit[1] and limit[1] * 1000 / limit[2] or 0, running = running,
  waiting = redis.call('LLEN', launch .. 'wait') + redis.call('ZCARD', launch .. 'prioritized')
    + redis.call('LLEN', launch .. 'active') + redis.call('ZCOUNT', launch .. 'delayed', '-inf', due),
  due = redis.call('LLEN', poll .. 'wait') + redis.call('LLEN', poll .. 'active')
    + redis.call('ZCOUNT', poll .. 'delayed', '-inf', due),
})
`,
  reply: replySchema,
});
