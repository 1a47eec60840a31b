/** Holds on launches, by account or model. */
export const holdPart = /* lua */ `
local longest_hold_ms = 600000
local first_rate_hold_ms = 5000
local least_hold_ms = 100
-- So long after a rate hold its doubling is forgotten; and an alarm that no job has met again.
local calm_ms = 600000
local alarm_calm_ms = 7 * 86400000

-- kind: 'alarm' (try one job at its end) or 'rate' (go on at its end). Returns its length where it is new.
local function hold(wish)
  if not wish then return nil end
  local place = key('hold', wish.scope)
  local ends = tonumber(redis.call('HGET', place, 'until') or 0)
  local fresh = ends <= now
  local strikes = tonumber(redis.call('HGET', place, 'strikes') or 0)
  if fresh then strikes = redis.call('HINCRBY', place, 'strikes', 1) end
  local for_ms = wish.for_ms
  if not for_ms or for_ms < least_hold_ms then for_ms = first_rate_hold_ms * 2 ^ math.min(strikes - 1, 10) end
  for_ms = math.ceil(math.min(for_ms, longest_hold_ms))
  local kind = redis.call('HGET', place, 'kind')
  -- A straggler's rate limit must not turn an alarm that is still on into something that ends by itself.
  if kind == 'alarm' and wish.kind == 'rate' and not fresh then return nil end
  if kind ~= wish.kind then redis.call('HSET', place, 'since', now) end
  redis.call('HSET', place, 'kind', wish.kind, 'code', wish.code)
  if now + for_ms > ends then redis.call('HSET', place, 'until', string.format('%.0f', now + for_ms)) end
  redis.call('PEXPIRE', place, for_ms + (wish.kind == 'rate' and calm_ms or alarm_calm_ms))
  return fresh and for_ms or nil
end

-- In the order of their enqueue; behind all of them where this job itself was refused, since it may be the only one that is.
local function park(id, job, scope, is_refused)
  redis.call('ZADD', key('parked', scope), is_refused and now or job.sequence, id)
  redis.call('SADD', key('parked_scopes'), scope)
  redis.call('HSET', key('job', id), 'parked_scope', scope)
end

-- Back to the queue: at its time, or when the hold that it met is over.
local function queue_again(id, job, due_in_ms, wish)
  move(id, job, 'queued')
  local held_ms = hold(wish)
  if wish then
    park(id, job, wish.scope, wish.kind == 'alarm')
  else
    schedule('launch', id, now + due_in_ms, job.priority)
  end
  return reply('queued', {held_ms = held_ms, held_scope = wish and wish.scope})
end
`;
