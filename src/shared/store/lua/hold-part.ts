/** Holds on launches: which jobs a refusal keeps back, for how long, and who tries next (docs/decisions/0014). */
export const holdPart = /* lua */ `
local longest_hold_ms = 600000
local first_rate_hold_ms = 5000
local least_hold_ms = 100
-- So long after a rate hold its doubling is forgotten; and an alarm that no job has met again.
local calm_ms = 600000
local alarm_calm_ms = 7 * 86400000
local evidence_ms = 86400000

-- So many jobs in a row have to be refused before more than those jobs is held; a refused key or model speaks for itself.
local least_evidence = {content = 3, key = 1, model = 1, unknown = 5}
-- A job that is refused so often in a row, while others of its tenant and model pass, is itself the problem. A refused key
-- never is one of a job: another worker may have the right one.
local most_lonely_refusals = {rate = 6, content = 4, model = 4}
local own_delays_ms = {rate = {5000, 10000, 20000, 40000, 60000}, content = {2000, 8000, 20000, 60000}}
local recently_ms = 60000
local rows_looked_at = 200
local most_evidence = 1000

local function pair_of(job)
  return 'tenant:' .. job.tenant .. '|model:' .. job.model
end

-- The scopes that can keep a job back, the narrowest first.
local function scopes_of(job)
  return {pair_of(job), 'model:' .. job.model, 'account'}
end

-- When the provider last made a response for this tenant and model, and how many it made since a time.
local function passes_of_pair(job, since)
  local count, last = 0, 0
  local newest = redis.call('ZREVRANGE', key('rows', job.tenant), 0, rows_looked_at - 1, 'WITHSCORES')
  for i = 1, #newest, 2 do
    local at = tonumber(newest[i + 1])
    -- Which model a stored prompt names is known afterwards alone.
    if job.model == 'unknown' or redis.call('HGET', key('row', newest[i]), 'model') == job.model then
      if last == 0 then last = at end
      if at > since then count = count + 1 end
    end
  end
  return count, last
end

local function last_pass_of_all()
  return tonumber(redis.call('ZREVRANGE', key('rows'), 0, 0, 'WITHSCORES')[2] or 0)
end

-- Who was refused in a row: what came before the last success says nothing any more.
local function add_evidence(place, member, last_pass)
  redis.call('ZREMRANGEBYSCORE', place, '-inf', last_pass)
  redis.call('ZADD', place, now, member)
  redis.call('ZREMRANGEBYRANK', place, 0, -most_evidence - 1)
  redis.call('PEXPIRE', place, evidence_ms)
  return redis.call('ZCARD', place)
end

-- Whom a refusal speaks of. One tenant alone is no evidence against the others (I12), unless there are no others.
-- wide: the scope that is held where all are meant.
local function accused(id, job, why, wide)
  local pair = pair_of(job)
  local kind = wide == 'account' and 'access' or why
  local _, last_of_pair = passes_of_pair(job, now)
  -- For a model a success of anybody's with it counts, and those of one's own are the ones that can be seen cheaply.
  local last_of_all = wide == 'account' and last_pass_of_all() or last_of_pair
  local jobs_of_pair = add_evidence(key('refused', kind, pair), id, last_of_pair)
  local jobs = add_evidence(key('refused', kind, wide), id, last_of_all)
  local tenants = add_evidence(key('refused', kind, wide, 'tenants'), job.tenant, last_of_all)
  if redis.call('ZCARD', key('tenant', job.tenant)) == redis.call('ZCARD', key('jobs')) then
    return jobs >= least_evidence[why] and {wide} or {}
  end
  if jobs >= least_evidence[why] and tenants > 1 then return {pair, wide} end
  return jobs_of_pair >= least_evidence[why] and {pair} or {}
end

-- Begins a hold, or goes on with one. Returns its length where it is new.
-- kind: 'alarm' (try one job at its end) or 'rate' (go on at its end).
local function hold(scope, wish)
  local place = key('hold', scope)
  local known = redis.call('HMGET', place, 'until', 'kind', 'strikes')
  local ends = tonumber(known[1] or 0)
  local is_fresh = ends <= now
  -- A straggler's rate limit must not turn an alarm that is still on into something that ends by itself.
  if known[2] == 'alarm' and wish.kind == 'rate' and not is_fresh then return nil end
  local strikes = tonumber(known[3] or 0)
  if is_fresh then strikes = redis.call('HINCRBY', place, 'strikes', 1) end
  local for_ms = wish.for_ms
  if not for_ms or for_ms < least_hold_ms then for_ms = first_rate_hold_ms * 2 ^ math.min(strikes - 1, 10) end
  for_ms = math.ceil(math.min(for_ms, longest_hold_ms))
  if known[2] ~= wish.kind then redis.call('HSET', place, 'since', now) end
  redis.call('HSET', place, 'kind', wish.kind, 'code', wish.code, 'lifted_by', wish.lifted_by or 'success')
  if now + for_ms > ends then redis.call('HSET', place, 'until', string.format('%.0f', now + for_ms)) end
  redis.call('PEXPIRE', place, for_ms + (wish.kind == 'rate' and calm_ms or alarm_calm_ms))
  return is_fresh and for_ms or nil
end

-- How far a launch came that ended without a response: 'nowhere', 'answer' (something spoke), or 'entry' (it let us in).
-- An alarm that doubted just that is over.
local function lift_alarms(job, came, sent_at)
  if not came or came == 'nowhere' then return end
  for _, scope in ipairs(scopes_of(job)) do
    local held = redis.call('HMGET', key('hold', scope), 'kind', 'lifted_by', 'since')
    local was_tried_under = tonumber(held[3] or 0) <= sent_at
    if held[1] == 'alarm' and was_tried_under and (held[2] == 'answer' or held[2] == came) then
      redis.call('DEL', key('hold', scope))
    end
  end
end

-- In the order of their enqueue; whoever was refused goes behind all of them, since it may be the only one that is.
local function park(id, job, scope)
  redis.call('ZADD', key('parked', scope), job.refused_at or job.sequence, id)
  redis.call('SADD', key('parked_scopes'), scope)
  redis.call('HSET', key('job', id), 'parked_scope', scope)
end

-- Counts the refusals of a job that came while others of its tenant and model passed, and fewer of them were refused.
local function count_refusal(id, job, why)
  local place = key('refused', 'lonely', pair_of(job))
  local before = tonumber(job.refused_at or 0)
  -- A rate limit has to let others through each time; for a refused content it is enough that they pass these days.
  local since = why == 'rate' and before or math.min(before, now - recently_ms)
  if before == 0 then since = now - recently_ms end
  local passes = passes_of_pair(job, since)
  redis.call('ZREM', place, id)
  local refused_others = redis.call('ZCOUNT', place, '(' .. string.format('%.0f', since), '+inf')
  add_evidence(place, id, 0)
  job.refused = tonumber(job.refused or 0) + 1
  local is_lonely = before == 0 or passes > refused_others
  job.lonely = is_lonely and tonumber(job.lonely or 0) + 1 or 0
  job.refused_at = string.format('%.0f', now)
  redis.call('HSET', key('job', id), 'refused', job.refused, 'lonely', job.lonely, 'refused_at', job.refused_at)
end

-- Back to the queue: at its time, or when the hold that it met is over. Returns nil where the job itself is the problem.
local function queue_again(id, job, due_in_ms, wish)
  if not wish then
    move(id, job, 'queued')
    schedule('launch', id, now + due_in_ms, job.priority)
    return reply('queued')
  end
  local why = wish.why or wish.kind
  count_refusal(id, job, why)
  local most = not wish.will_pass and most_lonely_refusals[why]
  if most and job.lonely >= most then return nil end
  local scopes = {}
  if wish.of == 'account' then
    scopes = {'account'}
  elseif wish.of == 'access' then
    scopes = accused(id, job, why, 'account')
  elseif why == 'model' then
    scopes = accused(id, job, why, 'model:' .. job.model)
  elseif job.lonely < 2 then
    scopes = {'model:' .. job.model}
  end

  move(id, job, 'queued')
  local held_ms, held_scope
  for _, scope in ipairs(scopes) do
    local new_ms = hold(scope, wish)
    if new_ms then held_ms, held_scope = new_ms, scope end
  end
  if scopes[1] then
    park(id, job, scopes[1])
  else
    local delays_ms = own_delays_ms[why] or own_delays_ms.content
    local delay_ms = delays_ms[math.min(job.refused, #delays_ms)]
    -- What a rate limit asks for is kept to; the length of an alarm is for those whom it keeps back.
    local asked_ms = wish.kind == 'rate' and wish.for_ms or 0
    schedule('launch', id, now + math.max(delay_ms, math.min(asked_ms, longest_hold_ms)), job.priority)
  end
  return reply('queued', {held_ms = held_ms, held_scope = held_scope})
end
`;
