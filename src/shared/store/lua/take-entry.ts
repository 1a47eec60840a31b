import { z } from 'zod';
import { entryPart } from './entry-part.ts';
import { defineScript } from './script.ts';
import { DELAYED_SCORE_UNIT, type QueueName } from './work.ts';

export interface TakeEntryArguments {
  queue: QueueName;
  /** What the worker holds the entry by. */
  lock: string;
  lock_ms: number;
  /** The most entries in a time that all workers take together, unless the queue's own settings say otherwise. */
  most?: number | undefined;
  in_ms?: number | undefined;
}

/** A hash as Redis has it. */
const hashSchema = z.custom<Record<string, string>>();

const replySchema = z.discriminatedUnion('reply', [
  z.object({
    reply: z.literal('taken'),
    entry: z.string(),
    /** How often its lock has run out. */
    stalled: z.string().transform(Number).optional(),
    /** The job's record, if the entry polls a job. */
    record: hashSchema.optional(),
  }),
  /** `at`: when the next entry is due, by the clock that it was timed by. Left out if there is none. */
  z.object({ reply: z.literal('none'), at: z.number().optional() }),
  z.object({ reply: z.literal('limited'), for_ms: z.number() }),
]);

/** What the calls of one command share: how the queue is set, and what happens to it once for all of them. */
const takingPart = /* lua */ `
-- The most urgent of the entries that have a priority. They come after those that have none.
local function urgent_entry(base)
  local entry = redis.call('ZPOPMIN', base .. 'prioritized')[1]
  if entry then
    redis.call('LPUSH', base .. 'active', entry)
  else
    redis.call('DEL', base .. 'pc')
  end
  return entry
end

local queues = {}

-- Another worker takes the entries that wait, or the next one that is due: whoever took these may have the marker, and no slot left.
local function wake_another(base)
  if redis.call('EXISTS', base .. 'wait', base .. 'prioritized') > 0 then
    redis.call('ZADD', base .. 'marker', '0', '0')
    return
  end
  local following = redis.call('ZRANGE', base .. 'delayed', '0', '0', 'WITHSCORES')[2]
  if following then redis.call('ZADD', base .. 'marker', 'LT', int(following / ${DELAYED_SCORE_UNIT}), '1') end
end

local function open_queue(name)
  local base = key(name, '')
  local set = redis.call('HMGET', base .. 'meta', 'paused', 'concurrency', 'max', 'duration')
  local due = redis.call(
    'ZRANGEBYSCORE', base .. 'delayed', '0', int((args.local_time + 1) * ${DELAYED_SCORE_UNIT} - 1), 'LIMIT', '0', '1000'
  )
  if #due > 0 then bring_forward(base, due) end
  local most = tonumber(set[3] or args.most)
  local queue = {
    base = base, is_paused = set[1], most_active = tonumber(set[2] or nil), has_given = false,
    most = most, in_ms = args.in_ms or set[4], used = most and tonumber(redis.call('GET', base .. 'limiter') or 0) or 0,
  }
  queues[name] = queue
  endings[#endings + 1] = function() if queue.has_given then wake_another(base) end end
  return queue
end
`;

const body = /* lua */ `
local queue = queues[args.queue] or open_queue(args.queue)
if queue.most and queue.used >= queue.most then
  local for_ms = redis.call('PTTL', queue.base .. 'limiter')
  if for_ms > 0 then return reply('limited', {for_ms = for_ms}) end
  redis.call('DEL', queue.base .. 'limiter')
  queue.used = 0
end
if queue.is_paused or queue.most_active and redis.call('LLEN', queue.base .. 'active') >= queue.most_active then
  return reply('none')
end

local entry = redis.call('RPOPLPUSH', queue.base .. 'wait', queue.base .. 'active') or rare.urgent_entry(queue.base)
if not entry then
  local next = redis.call('ZRANGE', queue.base .. 'delayed', '0', '0', 'WITHSCORES')
  return reply('none', {at = next[2] and tonumber(next[2]) / ${DELAYED_SCORE_UNIT}})
end
queue.has_given = true
if queue.most then
  queue.used = redis.call('INCR', queue.base .. 'limiter')
  if queue.used == 1 then redis.call('PEXPIRE', queue.base .. 'limiter', int(queue.in_ms)) end
end
local place = queue.base .. entry
redis.call('SET', place .. ':lock', args.lock, 'PX', args.lock_ms)
-- People look at launches for a while after their end.
if args.queue == 'launch' then redis.call('HSET', place, 'processedOn', args.local_time) end
local id = args.queue == 'poll' and id_in(entry)
local record = id and load(key('job', id))
return reply('taken', {
  entry = entry, stalled = redis.call('HGET', place, 'stc') or nil, record = record and record.status and record or nil,
})
`;

/**
 * Gives a worker the next entry of a queue, and with the entry of a poll its job's record. It does what BullMQ 6.7 does in
 * `moveToActive`, except for events and for the fields of which nothing reads any (docs/decisions/0035). A full Redis gives
 * entries out too, because usages are still written then.
 */
export const takeEntry = defineScript<TakeEntryArguments>()({
  name: 'take_entry',
  flags: 'allow-oom',
  parts: [entryPart, takingPart],
  body,
  reply: replySchema,
});

/** The same for the launch queue: a full Redis gives out none of its entries, because it would take no intent. */
export const takeLaunch = defineScript<TakeEntryArguments & { queue: 'launch' }>()({
  name: 'take_launch',
  parts: [entryPart, takingPart],
  body,
  reply: replySchema,
});
