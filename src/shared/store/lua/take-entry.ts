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

local function close_queues()
  for _, queue in pairs(queues) do
    local base = queue.base
    if queue.taken > 0 and queue.most and redis.call('INCRBY', base .. 'limiter', queue.taken) == queue.taken then
      redis.call('PEXPIRE', base .. 'limiter', int(queue.in_ms))
    end
    -- For the others that wait, another worker wakes up.
    if queue.taken > 0 and redis.call('EXISTS', base .. 'wait', base .. 'prioritized') > 0 then
      redis.call('ZADD', base .. 'marker', '0', '0')
    end
  end
end

local function open_queue(name)
  local base = key(name, '')
  local set = redis.call('HMGET', base .. 'meta', 'paused', 'concurrency', 'max', 'duration')
  local due = redis.call(
    'ZRANGEBYSCORE', base .. 'delayed', '0', int((args.local_time + 1) * ${DELAYED_SCORE_UNIT} - 1), 'LIMIT', '0', '1000'
  )
  if #due > 0 then bring_forward(base, due) end
  local most = tonumber(set[3] or args.most)
  if not next(queues) then endings[#endings + 1] = close_queues end
  queues[name] = {
    base = base, is_paused = set[1], most_active = tonumber(set[2] or nil), taken = 0,
    most = most, in_ms = args.in_ms or set[4], used = most and tonumber(redis.call('GET', base .. 'limiter') or 0) or 0,
  }
  return queues[name]
end
`;

/**
 * Gives a worker the next entry of a queue, and with the entry of a poll its job's record. It does what BullMQ 6.7 does in
 * `moveToActive`, except for events and for the fields of which nothing reads any (docs/decisions/0035).
 */
export const takeEntry = defineScript<TakeEntryArguments>()({
  name: 'take_entry',
  parts: [entryPart, takingPart],
  body: /* lua */ `
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
queue.used = queue.used + 1
queue.taken = queue.taken + 1
local place = queue.base .. entry
redis.call('SET', place .. ':lock', args.lock, 'PX', args.lock_ms)
-- People look at launches for a while after their end.
if args.queue == 'launch' then redis.call('HSET', place, 'processedOn', args.local_time) end
local id = args.queue == 'poll' and id_in(entry)
local record = id and load(key('job', id))
return reply('taken', {
  entry = entry, stalled = redis.call('HGET', place, 'stc') or nil, record = record and record.status and record or nil,
})
`,
  reply: replySchema,
});
