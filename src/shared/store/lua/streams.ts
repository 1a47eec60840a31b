import { z } from 'zod';
import { defineScript } from './script.ts';
import { workSchema } from './work.ts';

export interface AttachStreamArguments {
  id: string;
  response_id: string;
  /** Names this follower. The scripts refuse what another follower writes (I7). */
  token: string;
  /** A follower that was silent for this long is taken for dead. */
  live_ms: number;
}

/**
 * Makes one worker the follower of a running response's stream. `followed`: another worker is alive and follows it.
 * `final`: there is nothing to follow.
 */
export const attachStream = defineScript<AttachStreamArguments>()({
  name: 'attach_stream',
  body: /* lua */ `
local place = key('job', args.id)
local job = load_job(args.id)
if job.status ~= 'running' or job.response_id ~= args.response_id or job.stream ~= 'live' then return reply('final') end
local heard_at = redis.call('ZSCORE', key('streams'), args.id)
if heard_at and job.stream_token ~= args.token and tonumber(heard_at) > now - args.live_ms then return reply('followed') end
redis.call('HSET', place, 'stream_token', args.token)
redis.call('ZADD', key('streams'), now, args.id)
return reply('attached', {
  after = tonumber(job.stream_last or -1), base = tonumber(job.stream_base or 0), numbers = job.stream_numbers or 'theirs',
})
`,
  reply: z.discriminatedUnion('reply', [
    z.object({
      reply: z.literal('attached'),
      /** The last sequence number in the store; -1 if there is none. */
      after: z.number(),
      /** The sequence number of this run's first event. */
      base: z.number(),
      /** `theirs`: this run's events carry the provider's numbers. `ours`: the worker counts them. */
      numbers: z.enum(['theirs', 'ours']),
    }),
    z.object({ reply: z.enum(['followed', 'final']) }),
  ]),
});

export interface AppendEventsArguments {
  id: string;
  token: string;
  /** The sequence number before the first event. Events that the store has are not given again. */
  after: number;
  /** The last event's sequence number. If it equals `after` there are no events, and the call only says that the follower lives. */
  last: number;
  /** The items that these events begin. They outlive the response, because a cancel may refuse it later. */
  item_ids: string[];
  /** False once the provider's numbers were of no use, so that nobody tries to resume this run by them. */
  are_theirs: boolean;
  /** True if one of the events shows some of the output. */
  has_output: boolean;
  /** How many batches of one stream the store keeps. */
  most_batches: number;
  /** How many bytes of one stream the store keeps. */
  most_bytes: number;
}

/**
 * Adds a batch of a stream's events. The body is a JSON array of them. `final`: the job has its outcome, so nobody reads on.
 * `stale`: another worker follows the stream. `full`: the stream has outgrown what the store keeps of one.
 */
export const appendEvents = defineScript<AppendEventsArguments>()({
  name: 'append_events',
  body: /* lua */ `
local place = key('job', args.id)
local fields = redis.call('HMGET', place, 'status', 'stream_token', 'stream_last', 'stream_bytes')
if fields[1] ~= 'running' then return reply('final') end
if fields[2] ~= args.token or tonumber(fields[3] or -1) ~= args.after then return reply('stale') end
if tonumber(fields[4] or 0) + #body > args.most_bytes then return reply('full') end
redis.call('ZADD', key('streams'), now, args.id)
if args.last == args.after then return reply('appended') end
-- An entry's id is one past its last event, so a reader finds its next batch by the number that it has.
local events = key('events', args.id)
if redis.call('XLEN', events) >= args.most_batches then return reply('full') end
redis.call('XADD', events, int(args.last + 1) .. '-0', 'after', int(args.after), 'events', body)
redis.call('PEXPIRE', events, setting('result_ms'))
redis.call('HSET', place, 'stream_last', int(args.last))
redis.call('HINCRBY', place, 'stream_bytes', #body)
for _, item_id in ipairs(args.item_ids) do
  redis.call('SET', key('item', item_id), args.id, 'PX', setting('ledger_ms'))
end
if not args.are_theirs then redis.call('HSET', place, 'stream_numbers', 'ours') end
if args.has_output then redis.call('HSET', place, 'stream_spoke', 1) end
redis.call(setting('publish'), key('streamed'), args.id)
return reply('appended')
`,
  reply: z.object({ reply: z.enum(['appended', 'stale', 'final', 'full']) }),
});

export interface DetachStreamArguments {
  id: string;
  token: string;
  /** True if the provider will not play the stream again: the job is polled from here on. */
  give_up: boolean;
}

/** Lets go of a stream. The job's next poll comes at once, and either follows the stream again or does without it. */
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
  reply: z.object({ reply: z.enum(['detached', 'stale']), work: workSchema }),
});
