import { DELAYED_SCORE_UNIT, ENTRY_PREFIX } from './work.ts';

/**
 * How a script adds a queue entry in the step that needs it: both are written or neither is, and the outbox is left for the
 * entries of which the queue keeps an older one (I5). It writes what BullMQ 6.7 writes, without the events that tell of it,
 * because nothing listens to these queues (docs/decisions/0020).
 */
export const entryPart = /* lua */ `
-- The same as entryId in queues.ts.
local function entry_id(id)
  -- Most ids are like job_0a1b, and that is found out in a third of the time.
  if id:find('^%a+_%w+$') then return '${ENTRY_PREFIX}' .. id end
  return '${ENTRY_PREFIX}' .. id:gsub("[^%w_!~*'()-]", function(byte) return string.format('%%%02X', byte:byte()) end)
end

-- BullMQ's workers go by their own clocks, so an entry is timed by the clock of the process that adds it.
-- is_new: no other job had the id, so the queue cannot keep an older entry.
local function enter(queue, id, due, priority, is_new)
  local entry = entry_id(id)
  local base = key(queue, '')
  local place = base .. entry
  -- An entry with a priority goes another way in BullMQ, and one whose id the queue still keeps would be ignored.
  if priority ~= 0 or not is_new and redis.call('EXISTS', place) == 1 then
    return schedule(queue, id, due, priority)
  end
  local delay = math.max(0, due - now)
  local data = '{"id":' .. cjson.encode(id) .. '}'
  if delay > 0 then
    -- BullMQ takes an entry without a priority for one of priority 0, and many are parked.
    redis.call('HSET', place, 'name', queue, 'data', data, 'opts', '{}', 'timestamp', args.local_time, 'delay', int(delay))
    redis.call('ZADD', base .. 'delayed', int((args.local_time + delay) * ${DELAYED_SCORE_UNIT}), entry)
    -- A waiting worker wakes up at the score of this marker.
    local first = redis.call('ZRANGE', base .. 'delayed', 0, 0, 'WITHSCORES')
    redis.call('ZADD', base .. 'marker', int(first[2] / ${DELAYED_SCORE_UNIT}), '1')
    return
  end
  redis.call(
    'HSET', place, 'name', queue, 'data', data, 'opts', '{}', 'timestamp', args.local_time, 'delay', '0', 'priority', '0'
  )
  -- If others wait too, the marker was set for them. If the worker that took it dies at that moment, another looks by itself
  -- within ten seconds.
  local is_first = redis.call('LPUSH', base .. 'wait', entry) == 1
  if is_first and redis.call('HEXISTS', base .. 'meta', 'paused') == 0 then
    redis.call('ZADD', base .. 'marker', '0', '0')
  end
end
`;
