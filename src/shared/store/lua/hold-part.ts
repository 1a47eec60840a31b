/** Holds on launches: which jobs a refusal keeps back, for how long, and who tries next (docs/decisions/0014). */
export const holdPart = /* lua */ `
local longest_hold_ms = 600000
local first_rate_hold_ms = 5000
local least_hold_ms = 100
-- So long after a rate hold its doubling is forgotten; and an alarm that no job has met again.
local calm_ms = 600000
local alarm_calm_ms = 7 * 86400000
local evidence_ms = 86400000

-- So many jobs in a row have to be refused before more than those jobs is held; a refused key speaks for itself.
local least_evidence = {content = 3, key = 1}
-- A job that is refused so often, while more of the others pass than are refused, is itself the problem.
local most_refusals = {rate = 6, content = 4, key = 4}
local first_delay_ms = {rate = 5000, content = 2000, key = 2000}
local longest_delay_ms = 60000
local rows_looked_at = 50

local function pair_of(job)
  return 'tenant:' .. job.tenant .. '|model:' .. job.model
end

-- The scopes that can keep a job back, the narrowest first.
local function scopes_of(job)
  return {pair_of(job), 'model:' .. job.model, 'account'}
end

-- The newest responses that the provider made: how many since a time, of a model or of all, and when the last one was.
local function passed_since(since, model, tenant)
  local count, last = 0, 0
  local newest = redis.call('ZREVRANGEBYSCORE', key('rows'), '+inf', '(' .. string.format('%.0f', since),
    'WITHSCORES', 'LIMIT', 0, rows_looked_at)
  for i = 1, #newest, 2 do
    local row = redis.call('HMGET', key('row', newest[i]), 'model', 'tenant')
    if (not model or row[1] == model) and (not tenant or row[2] == tenant) then
      count = count + 1
      if last == 0 then last = tonumber(newest[i + 1]) end
    end
  end
  return count, last
end

-- Jobs that were refused in a row: what came before the last success says nothing any more.
local function add_evidence(place, member, last_pass)
  redis.call('ZREMRANGEBYSCORE', place, '-inf', last_pass)
  redis.call('ZADD', place, now, member)
  redis.call('PEXPIRE', place, evidence_ms)
  return redis.call('ZCARD', place)
end

-- Whom a refused key or a refused content speaks of. One tenant alone is no evidence against the others (I12).
local function accused(id, job, why)
  local least = least_evidence[why]
  local day_ago = now - evidence_ms
  local _, last_of_pair = passed_since(day_ago, job.model, job.tenant)
  local _, last_of_all = passed_since(day_ago)
  local jobs_of_pair = add_evidence(key('refused', pair_of(job)), id, last_of_pair)
  local jobs = add_evidence(key('refused', 'account'), id, last_of_all)
  local tenants = add_evidence(key('refused', 'tenants'), job.tenant, last_of_all)
  local is_only_tenant = redis.call('ZCARD', key('tenant', job.tenant)) == redis.call('ZCARD', key('jobs'))
  if jobs >= least and (tenants > 1 or is_only_tenant) then return {pair_of(job), 'account'} end
  if jobs_of_pair >= least then return {pair_of(job)} end
  return {}
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
local function lift_alarms(job, came)
  if not came or came == 'nowhere' then return end
  for _, scope in ipairs(scopes_of(job)) do
    local held = redis.call('HMGET', key('hold', scope), 'kind', 'lifted_by')
    if held[1] == 'alarm' and (held[2] == 'answer' or held[2] == came) then redis.call('DEL', key('hold', scope)) end
  end
end

-- In the order of their enqueue; whoever was refused goes behind all of them, since it may be the only one that is.
local function park(id, job, scope)
  redis.call('ZADD', key('parked', scope), job.refused_at or job.sequence, id)
  redis.call('SADD', key('parked_scopes'), scope)
  redis.call('HSET', key('job', id), 'parked_scope', scope)
end

-- Counts a refusal, and says whether others pass where this job does not.
local function count_refusal(id, job)
  local total = redis.call('HINCRBY', key('refusals'), job.model, 1)
  redis.call('PEXPIRE', key('refusals'), evidence_ms)
  job.refusals_before = job.refusals_before or total - 1
  job.refused_since = job.refused_since or now
  job.refused = tonumber(job.refused or 0) + 1
  job.refused_at = string.format('%.0f', now)
  redis.call('HSET', key('job', id), 'refused', job.refused, 'refused_since', job.refused_since,
    'refused_at', job.refused_at, 'refusals_before', job.refusals_before)
  local refused_others = total - tonumber(job.refusals_before) - job.refused
  local passed = passed_since(tonumber(job.refused_since), job.model)
  return passed > refused_others
end

-- Back to the queue: at its time, or when the hold that it met is over. Returns nil where the job itself is the problem.
local function queue_again(id, job, due_in_ms, wish)
  if not wish then
    move(id, job, 'queued')
    schedule('launch', id, now + due_in_ms, job.priority)
    return reply('queued')
  end
  local why = wish.why or wish.kind
  local others_pass = most_refusals[why] and count_refusal(id, job)
  if not most_refusals[why] then job.refused_at = string.format('%.0f', now) end
  if others_pass and job.refused >= most_refusals[why] then return nil end
  local scopes = {}
  if wish.of == 'account' then
    scopes = {'account'}
  elseif wish.of == 'access' then
    scopes = accused(id, job, why)
  elseif not (others_pass and job.refused > 1) then
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
    local delay_ms = math.min(first_delay_ms[why] * 2 ^ (job.refused - 1), longest_delay_ms)
    -- What a rate limit asks for is kept to; the length of an alarm is for those whom it keeps back.
    local asked_ms = wish.kind == 'rate' and wish.for_ms or 0
    schedule('launch', id, now + math.max(delay_ms, math.min(asked_ms, longest_hold_ms)), job.priority)
  end
  return reply('queued', {held_ms = held_ms, held_scope = held_scope})
end
`;
