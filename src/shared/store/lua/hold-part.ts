import { jobStatusSchema } from '../../contract/words.ts';
import { luaSet } from './script.ts';

/**
 * Everything that the scripts know of holds on launches: which jobs a refusal keeps back and for how long, which job tries
 * next, and when a hold ends (docs/decisions/0014). The sweeper returns parked jobs to their queue with `release`.
 */
export const holdPart = /* lua */ `
local statuses = ${luaSet(jobStatusSchema.options)}
local longest_hold_ms = 600000
local first_rate_hold_ms = 5000
local least_hold_ms = 100
local trial_ms = 60000
-- How long a rate hold remembers its doubling after it ends, and how long an ended alarm stays if no job meets it again.
local calm_ms = 600000
local alarm_calm_ms = 7 * 86400000
local evidence_ms = 86400000

-- How many jobs in a row have to be refused before others are held too. For a refused key or model one is enough.
local least_evidence = {content = 3, key = 1, model = 1, unknown = 5}
-- A job that is refused this often in a row, while others of its tenant and model pass, is itself the problem. A refused key
-- is never the job's fault, because another worker may have the right one.
local most_lonely_refusals = {rate = 6, content = 4, model = 4}
local own_delays_ms = {rate = {5000, 10000, 20000, 40000, 60000}, content = {2000, 8000, 20000, 60000}}
local recently_ms = 60000
local rows_looked_at = 200
local most_evidence = 1000

local function pair_of(job)
  return 'tenant:' .. job.tenant .. '|model:' .. job.model
end

-- A key or a model is refused in every lane, so each lane has a copy of a hold (docs/decisions/0026).
local function tell_lanes(what, fact)
  spread = spread or {}
  spread[what] = spread[what] or {}
  table.insert(spread[what], fact)
end

-- Ends an alarm that a launch has disproved which was sent under it.
local function lift(scope, since, sent_at)
  if tonumber(since or 0) > sent_at then return end
  redis.call('DEL', key('hold', scope))
  redis.call('SREM', key('held_scopes'), scope)
  tell_lanes('lifted', {scope = scope, sent_at = sent_at})
end

-- The scopes of the holds that a job can meet, the narrowest first.
local function scopes_of(job)
  return {pair_of(job), 'model:' .. job.model, 'account'}
end

-- On most days nothing is held, and one command finds that out.
local free = {}

local function is_any_held(scopes)
  if free[scopes[1]] then return false end
  local is_held = redis.call('EXISTS', key('hold', scopes[1]), key('hold', scopes[2]), key('hold', scopes[3])) > 0
  free[scopes[1]] = not is_held
  return is_held
end

-- How many responses the provider made for this tenant and model since a time, that millisecond included, and when it made the
-- last one.
local function passes_of_pair(job, since)
  local count, last = 0, 0
  local newest = redis.call('ZREVRANGE', key('rows', job.tenant), 0, rows_looked_at - 1, 'WITHSCORES')
  for i = 1, #newest, 2 do
    local at = tonumber(newest[i + 1])
    -- The model of a stored prompt is known only afterwards, so any row of the tenant counts for such a job.
    if job.model == 'unknown' or redis.call('HGET', key('row', newest[i]), 'model') == job.model then
      if last == 0 then last = at end
      if at >= since then count = count + 1 end
    end
  end
  return count, last
end

local function last_pass_of_all()
  return tonumber(redis.call('ZREVRANGE', key('rows'), 0, 0, 'WITHSCORES')[2] or 0)
end

-- Adds to those that were refused in a row. What was refused before the last success is evidence of nothing now.
local function add_evidence(place, member, last_pass)
  redis.call('ZREMRANGEBYSCORE', place, '-inf', last_pass)
  redis.call('ZADD', place, now, member)
  redis.call('ZREMRANGEBYRANK', place, 0, -most_evidence - 1)
  redis.call('PEXPIRE', place, evidence_ms)
  return redis.call('ZCARD', place)
end

local function is_only_tenant(tenant)
  -- Whoever knows of several lanes has asked all of them.
  if args.is_only_tenant ~= nil then return args.is_only_tenant end
  local all = 0
  for status in pairs(statuses) do all = all + redis.call('ZCARD', key('status', status)) end
  return redis.call('ZCARD', key('tenant', tenant)) == all
end

-- Notes a refusal. Returns how many jobs in a row were refused, of how many tenants, and how many of this tenant and model.
local function note_refusal(id, job, why, wide)
  local pair = pair_of(job)
  local kind = wide == 'account' and 'access' or why
  local _, last_of_pair = passes_of_pair(job, now)
  -- For a model, any tenant's success would count, but only the tenant's own can be looked up cheaply.
  local last_of_all = wide == 'account' and last_pass_of_all() or last_of_pair
  local jobs_of_pair = add_evidence(key('refused', kind, pair), id, last_of_pair)
  local jobs = add_evidence(key('refused', kind, wide), id, last_of_all)
  return jobs, add_evidence(key('refused', kind, wide, 'tenants'), job.tenant, last_of_all), jobs_of_pair
end

-- The scopes to hold after a refusal. One tenant's refusals are no evidence against the others (I12), unless it is the only one.
-- wide: the scope to hold if all are affected.
local function accused(id, job, why, wide)
  local pair = pair_of(job)
  local jobs, tenants, jobs_of_pair = note_refusal(id, job, why, wide)
  tell_lanes('refused', {id = id, tenant = job.tenant, model = job.model, why = why, wide = wide})
  if is_only_tenant(job.tenant) then return jobs >= least_evidence[why] and {wide} or {} end
  if jobs >= least_evidence[why] and tenants > 1 then return {pair, wide} end
  return jobs_of_pair >= least_evidence[why] and {pair} or {}
end

-- Begins a hold or extends one. Returns its length if it is new.
-- wish.kind: 'alarm' (at its end one job tries) or 'rate' (at its end all go on).
local function hold(scope, wish)
  local place = key('hold', scope)
  local known = redis.call('HMGET', place, 'until', 'kind', 'strikes')
  local ends = tonumber(known[1] or 0)
  local is_fresh = ends <= now
  -- A late answer with a rate limit must not turn an active alarm into a hold that ends by itself.
  if known[2] == 'alarm' and wish.kind == 'rate' and not is_fresh then return nil end
  local strikes = tonumber(known[3] or 0)
  if is_fresh then strikes = redis.call('HINCRBY', place, 'strikes', 1) end
  local for_ms = wish.for_ms
  if not for_ms or for_ms < least_hold_ms then for_ms = first_rate_hold_ms * 2 ^ math.min(strikes - 1, 10) end
  for_ms = math.ceil(math.min(for_ms, longest_hold_ms))
  if known[2] ~= wish.kind then redis.call('HSET', place, 'since', now) end
  redis.call('SADD', key('held_scopes'), scope)
  redis.call('HSET', place, 'kind', wish.kind, 'code', wish.code, 'lifted_by', wish.lifted_by or 'success')
  if wish.http_status then
    redis.call('HSET', place, 'http_status', int(wish.http_status))
  else
    redis.call('HDEL', place, 'http_status')
  end
  if now + for_ms > ends then redis.call('HSET', place, 'until', int(now + for_ms)) end
  redis.call('PEXPIRE', place, for_ms + (wish.kind == 'rate' and calm_ms or alarm_calm_ms))
  if not is_fresh then return nil end
  tell_lanes('imposed', {
    scope = scope, kind = wish.kind, code = wish.code, lifted_by = wish.lifted_by, for_ms = for_ms,
    http_status = wish.http_status,
  })
  return for_ms
end

-- Ends the alarms that a launch without a response has disproved. came: 'nowhere', 'answer' (something answered) or 'entry'
-- (it passed the sign-in).
local function lift_alarms(job, came, sent_at)
  if not came or came == 'nowhere' then return end
  for _, scope in ipairs(scopes_of(job)) do
    local held = redis.call('HMGET', key('hold', scope), 'kind', 'lifted_by', 'since')
    if held[1] == 'alarm' and (held[2] == 'answer' or held[2] == came) then lift(scope, held[3], sent_at) end
  end
end

local function lift_holds(scopes, sent_at)
  for _, scope in ipairs(scopes) do
    local held = redis.call('HMGET', key('hold', scope), 'kind', 'since', 'until')
    if held[1] == 'alarm' then
      lift(scope, held[2], sent_at)
    elseif held[1] == 'rate' and tonumber(held[3]) <= now then
      redis.call('HSET', key('hold', scope), 'strikes', 0)
    end
  end
end

-- A launch succeeded: the alarms that it was tried under are over. A rate hold ends by its time, and the next begins anew.
local function lift_after_success(tenant, model, sent_at)
  local scopes = scopes_of({tenant = tenant, model = model})
  if is_any_held(scopes) then rare.lift_holds(scopes, sent_at) end
end

-- Looks at holds of which there is at least one.
local function meet_holds(scopes)
  local trials = {}
  for _, scope in ipairs(scopes) do
    local held = redis.call('HMGET', key('hold', scope), 'until', 'kind')
    if held[1] and tonumber(held[1]) > now then return scope end
    if held[1] and held[2] == 'alarm' then trials[#trials + 1] = scope end
  end
  for _, scope in ipairs(trials) do
    local place = key('hold', scope)
    local held = redis.call('HMGET', place, 'code', 'lifted_by')
    redis.call('HSET', place, 'until', int(now + trial_ms))
    tell_lanes('imposed', {
      scope = scope, kind = 'alarm', code = held[1], lifted_by = held[2] or nil, for_ms = trial_ms, is_trial = true,
    })
  end
end

-- The scope of the hold that keeps a job back. If none does and an alarm has just ended, this job is its trial: the alarm
-- keeps the others back for another while, and the job's success will lift it.
local function pass_holds(job)
  local scopes = scopes_of(job)
  return is_any_held(scopes) and rare.meet_holds(scopes) or nil
end

-- The narrowest alarm that a job is under, if it is narrower than the given scope.
local function narrower_alarm(job, wide)
  for _, scope in ipairs(scopes_of(job)) do
    if scope == wide then return nil end
    if redis.call('HGET', key('hold', scope), 'kind') == 'alarm' then return scope end
  end
end

-- Parked jobs wait in the order of their enqueue. A refused job goes behind them, since it may be the only one refused.
local function park(id, job, scope)
  local place = job.refused_at and int(job.refused_at * sequences_in_a_ms) or job.sequence
  redis.call('ZADD', key('parked', scope), place, id)
  redis.call('SADD', key('parked_scopes'), scope)
  redis.call('HSET', key('job', id), 'parked_scope', scope)
end

-- Counts how often in a row a job was refused while more of its tenant and model passed than were refused.
local function count_refusal(id, job, why)
  local place = key('refused', 'lonely', pair_of(job))
  local before = tonumber(job.refused_at or 0)
  -- For a rate limit, others have to pass each time. For refused content it is enough that they have passed recently.
  local since = why == 'rate' and before or math.min(before, now - recently_ms)
  if before == 0 then since = now - recently_ms end
  local passes = passes_of_pair(job, since)
  redis.call('ZREM', place, id)
  local refused_others = redis.call('ZCOUNT', place, int(since), '+inf')
  add_evidence(place, id, 0)
  job.refused = tonumber(job.refused or 0) + 1
  local is_lonely = before == 0 or passes > refused_others
  job.lonely = is_lonely and tonumber(job.lonely or 0) + 1 or 0
  job.refused_at = int(now)
  redis.call('HSET', key('job', id), 'refused', job.refused, 'lonely', job.lonely, 'refused_at', job.refused_at)
end

-- Sends a job back to the queue: after a delay, or when its hold ends. Returns nil if the job has to fail, and the hold that
-- began all the same.
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

  local held_ms, held_scope
  for _, scope in ipairs(scopes) do
    local new_ms = hold(scope, wish)
    if new_ms then held_ms, held_scope = new_ms, scope end
  end
  -- A job that does not wait for alarms fails now, and the hold keeps the others back.
  if job.on_hold == 'fail' and wish.kind == 'alarm' then return nil, {held_ms = held_ms, held_scope = held_scope} end
  move(id, job, 'queued')
  if scopes[1] then
    park(id, job, scopes[1])
  else
    local delays_ms = own_delays_ms[why] or own_delays_ms.content
    local delay_ms = delays_ms[math.min(job.refused, #delays_ms)]
    -- The wait that a rate limit asks for is kept. An alarm's length is meant only for the jobs that it keeps back.
    local asked_ms = wish.kind == 'rate' and wish.for_ms or 0
    schedule('launch', id, now + math.max(delay_ms, math.min(asked_ms, longest_hold_ms)), job.priority)
  end
  return reply('queued', {held_ms = held_ms, held_scope = held_scope})
end
`;
