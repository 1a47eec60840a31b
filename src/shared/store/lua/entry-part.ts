import { DELAYED_SCORE_UNIT, ENTRY_PREFIX } from './work.ts';

/** Finished launch entries stay for a while, so that people can look at them. Others leave at once, so that they can be woken. */
export const KEPT_LAUNCHES = { count: 1000, age: 3600 };
/** The oldest are removed a hundred at a time. */
const LOT = 100;

/**
 * How a script adds a queue entry in the step that needs it, and ends one in the step that does its work: both are written or
 * neither is, and the outbox is left for the entries of which the queue keeps an older one (I5).
 *
 * It writes what BullMQ 6.7 writes, except for events, because nothing listens to these queues (docs/decisions/0020), for fields
 * that its scripts do without, and for what `Queues.tidy` and BullMQ's own check for stalled entries do as well (docs/decisions/0034).
 */
export const entryPart = /* lua */ `
-- The same as entryId in queues.ts.
local function escaped(id)
  -- Most ids are like job_0a1b, and that is found out in a third of the time.
  if id:find('^%a+_%w+$') then return '${ENTRY_PREFIX}' .. id end
  return '${ENTRY_PREFIX}' .. id:gsub("[^%w_!~*'()-]", function(byte) return string.format('%%%02X', byte:byte()) end)
end

-- A step that ends an entry often adds another one of the same job.
local newest = {}

local function entry_id(id)
  if newest.id ~= id then newest = {id = id, entry = escaped(id)} end
  return newest.entry
end

-- The same as idOfEntry in queues.ts. Nil for an entry that something else put into the queue.
local function id_in(entry)
  if entry:sub(1, ${ENTRY_PREFIX.length}) ~= '${ENTRY_PREFIX}' then return end
  return (entry:sub(${ENTRY_PREFIX.length + 1}):gsub('%%(%x%x)', function(digits) return string.char(tonumber(digits, 16)) end))
end

-- Lets an entry come at a time, in milliseconds.
local function delay_entry(base, entry, at)
  redis.call('ZADD', base .. 'delayed', int(at * ${DELAYED_SCORE_UNIT}), entry)
  -- A waiting worker wakes up at the score of this marker, unless it knows of an earlier one.
  redis.call('ZADD', base .. 'marker', 'LT', int(at), '1')
end

-- Moves entries whose time has come to those that wait.
local function bring_forward(base, entries)
  redis.call('ZREM', base .. 'delayed', unpack(entries))
  local ordinary = {}
  for _, entry in ipairs(entries) do
    local priority = tonumber(redis.call('HGET', base .. entry, 'priority')) or 0
    if priority == 0 then
      ordinary[#ordinary + 1] = entry
    else
      local count = redis.call('INCR', base .. 'pc')
      redis.call('ZADD', base .. 'prioritized', int(priority * 0x100000000 + count % 0x100000000), entry)
    end
  end
  if #ordinary > 0 then redis.call('LPUSH', base .. 'wait', unpack(ordinary)) end
end

-- BullMQ's workers go by their own clocks, so an entry is timed by the clock of the process that adds it.
-- is_new: no other job had the id, so the queue cannot keep an older entry.
local function enter(queue, id, due, priority, is_new)
  local entry = entry_id(id)
  local base = key(queue, '')
  local place = base .. entry
  -- An entry with a priority goes another way in BullMQ, and one whose id the queue still keeps would be ignored.
  if priority ~= 0 or not is_new and redis.call('EXISTS', place) == 1 then
    return rare.schedule(queue, id, due, priority)
  end
  if queue == 'launch' then
    -- People look at these, also on a board of the app's.
    local is_plain = entry == '${ENTRY_PREFIX}' .. id
    local data = is_plain and '{"id":"' .. id .. '"}' or '{"id":' .. cjson.encode(id) .. '}'
    redis.call('HSET', place, 'name', queue, 'timestamp', args.local_time, 'data', data)
  else
    -- Many are parked, so they have nothing that their id or their place says.
    redis.call('HSET', place, 'name', queue, 'timestamp', args.local_time)
  end
  if due > now then return delay_entry(base, entry, args.local_time + due - now) end
  -- If others wait too, the marker was set for them. If the worker that took it dies at that moment, another looks by itself
  -- within ten seconds.
  local is_first = redis.call('LPUSH', base .. 'wait', entry) == 1
  if is_first and redis.call('HEXISTS', base .. 'meta', 'paused') == 0 then
    redis.call('ZADD', base .. 'marker', '0', '0')
  end
end

-- Takes an entry from the worker that has it by this lock. If the lock is gone, another worker may have the entry, and ends it (I7).
local function is_let_go(base, entry, lock)
  if redis.call('GET', base .. entry .. ':lock') ~= lock then return false end
  redis.call('LREM', base .. 'active', -1, entry)
  return true
end

-- Ends a job's poll, because this step has done its work, and returns true.
local function end_poll(id, lock)
  local entry = entry_id(id)
  local base = key('poll', '')
  if not is_let_go(base, entry, lock) then return end
  redis.call('DEL', base .. entry, base .. entry .. ':lock')
  return true
end

-- Does the same for a job's launch, whose entry is kept for a while with its summary.
local function end_launch(id, lock, summary)
  local entry = entry_id(id)
  local base = key('launch', '')
  if not is_let_go(base, entry, lock) then return end
  redis.call('DEL', base .. entry .. ':lock')
  redis.call('HSET', base .. entry, 'returnvalue', cjson.encode(summary), 'finishedOn', args.local_time, 'atm', '1')
  redis.call('ZADD', base .. 'completed', args.local_time, entry)
  if redis.call('ZCARD', base .. 'completed') < ${KEPT_LAUNCHES.count + LOT} then return true end
  local old = redis.call('ZRANGE', base .. 'completed', 0, ${LOT - 1})
  for _, one in ipairs(old) do redis.call('DEL', base .. one) end
  redis.call('ZREM', base .. 'completed', unpack(old))
  return true
end
`;
