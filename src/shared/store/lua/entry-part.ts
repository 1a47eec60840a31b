import { addDelayedJob } from 'bullmq/dist/esm/scripts/addDelayedJob-6.js';
import { addStandardJob } from 'bullmq/dist/esm/scripts/addStandardJob-9.js';
import { ENTRY_PREFIX } from './work.ts';

/**
 * How a script adds a queue entry in the step that needs it, by BullMQ's own Lua: both are written or neither is, and the
 * outbox is left for the entries of which the queue keeps an older one (I5, docs/decisions/0020).
 */
export const entryPart = /* lua */ `
local function add_standard_job(KEYS, ARGV)
${addStandardJob.content}
end

local function add_delayed_job(KEYS, ARGV)
${addDelayedJob.content}
end

-- The same as entryId in queues.ts.
local function entry_id(id)
  return '${ENTRY_PREFIX}' .. id:gsub("[^%w_!~*'()-]", function(byte) return string.format('%%%02X', byte:byte()) end)
end

-- BullMQ's workers go by their own clocks, so an entry is timed by the clock of the process that adds it.
local function enter(queue, id, due, priority)
  local entry = entry_id(id)
  local base = key(queue, '')
  -- An entry with a priority goes another way in BullMQ, and one whose id the queue still keeps would be ignored.
  if priority ~= 0 or redis.call('EXISTS', base .. entry) == 1 then return schedule(queue, id, due, priority) end
  local given = cmsgpack.pack({base, entry, queue, args.local_time})
  local data = cjson.encode({id = id})
  local delay = math.max(0, due - now)
  if delay > 0 then
    add_delayed_job(
      {base .. 'marker', base .. 'meta', base .. 'id', base .. 'delayed', base .. 'completed', base .. 'events'},
      {given, data, cmsgpack.pack({delay = delay})}
    )
  else
    add_standard_job(
      {
        base .. 'wait', base .. 'paused', base .. 'meta', base .. 'id', base .. 'completed', base .. 'delayed',
        base .. 'active', base .. 'events', base .. 'marker',
      },
      {given, data, cmsgpack.pack({})}
    )
  end
end
`;
