import { lateBoundsMs } from '../../contract/ledger.ts';
import { estimatePart } from './estimate-part.ts';

/**
 * How the scripts write rows and sums. `book` moves the sums by the difference between a row before and after a change. So
 * the sums are always the sums of the rows, whatever happens to a row and in whatever order (I3, I11).
 */
export const ledgerPart = /* lua */ `
local known_days = {}

local function day_of(ms)
  local number = math.floor(ms / 86400000)
  if known_days[number] then return known_days[number] end
  -- Civil date from days since 1970 (Howard Hinnant's algorithm): Redis gives Lua no calendar.
  local z = number + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  known_days[number] = string.format('%04d-%02d-%02d', year, month, doy - math.floor((153 * mp + 2) / 5) + 1)
  return known_days[number]
end

-- The bounds of the histogram of how late results came. Its last bucket has no upper bound.
local late_bounds_ms = {${lateBoundsMs.join(', ')}}

local function late_measure(late_by_ms)
  for _, bound in ipairs(late_bounds_ms) do
    if late_by_ms < bound then return 'late_' .. int(bound) end
  end
  return 'late_more'
end

local function measures(row)
  local found = {}
  if not row.kind then return found end
  local prefix = row.kind == 'used' and 'used_' or ''
  found[prefix .. 'responses'] = 1
  if row.status ~= 'final' then
    found[prefix .. row.status] = 1
    if row.most_tokens and row.most_cost_usd_micros then
      found[prefix .. 'most_tokens'] = tonumber(row.most_tokens)
      found[prefix .. 'most_cost_usd_micros'] = tonumber(row.most_cost_usd_micros)
    else
      found[prefix .. 'unbounded'] = 1
    end
    -- Rows of the version before have no estimate, and none of their sums does.
    local tokens, cost = string.match(row.likely or '', '^(%d+) (%d+)$')
    if tokens then
      found[prefix .. 'likely_tokens'] = tonumber(tokens)
      found[prefix .. 'likely_cost_usd_micros'] = tonumber(cost)
    elseif row.likely then
      found[prefix .. 'unestimated'] = 1
    end
  end
  if row.late_by_ms then found[late_measure(tonumber(row.late_by_ms))] = 1 end
  if row.total_tokens then
    found[prefix .. 'input_tokens'] = tonumber(row.input_tokens)
    found[prefix .. 'output_tokens'] = tonumber(row.output_tokens)
    found[prefix .. 'total_tokens'] = tonumber(row.total_tokens)
    if row.cost_usd_micros then
      found[prefix .. 'cost_usd_micros'] = tonumber(row.cost_usd_micros)
    else
      found[prefix .. 'unpriced'] = 1
    end
  end
  return found
end

-- The fields in which a row is counted: ["model","gpt-5.5"].
local function dimensions(row)
  local crowded = row.crowded == '1'
  local found = {{'all', ''}, {'model', row.model}}
  -- Actors, reasons and tags are free text, and bulk cancels may be many. Past the bound, a day's further ones share one place (I9).
  for _, tag in ipairs(cjson.decode(row.tags)) do found[#found + 1] = {'tag', crowded and '(other)' or tag} end
  if row.kind == 'wasted' then
    found[#found + 1] = {'cause', row.cause}
    found[#found + 1] = {'actor', crowded and '(other)' or row.actor or ''}
    -- The version before did not count by reason, and its rows must not be taken out of sums that they were never in.
    if row.cancellation then found[#found + 1] = {'cancellation', crowded and '(other)' or row.cancellation} end
    if row.by_reason then found[#found + 1] = {'reason', crowded and '(other)' or row.reason or ''} end
  end
  local fields = {}
  for position, dimension in ipairs(found) do fields[position] = cjson.encode(dimension) end
  return fields
end

local most_sums = 40000

-- Each tenant has sums apart, so that nobody waits for another's sums or is crowded by them (I12).
local function sums_of(row)
  return key('sums', day_of(tonumber(row.at)), row.tenant)
end

-- True if a day has too many sums. Only a row's first booking asks, because its later bookings must change the same sums.
local function is_crowded(row)
  if row.kind == 'used' and row.tags == '[]' then return false end
  return redis.call('HLEN', sums_of(row)) > most_sums
end

-- The measures of a sum are one text, "used_responses=3 used_total_tokens=480": one field is read and written for all of them.
-- The measures that stay as they are are not read, because to make numbers of them and a text again costs most of a booking.
local function packed(text, differences, is_tenants_own)
  local new = {}
  for name, difference in pairs(differences) do
    -- The histogram is kept once for the tenant, and not for each dimension.
    if is_tenants_own or name:sub(1, 5) ~= 'late_' then new[name] = difference end
  end
  local words = text and text ~= '' and text .. ' ' or ''
  words = words:gsub('([%w_]+)=(-?%d+) ', function(name, value)
    local difference = new[name]
    if not difference then return nil end
    new[name] = nil
    local sum = value + difference
    return sum == 0 and '' or name .. '=' .. int(sum) .. ' '
  end)
  for name, difference in pairs(new) do words = words .. name .. '=' .. int(difference) .. ' ' end
  return words:sub(1, -2)
end

-- Adds the differences to the sums in every dimension of the row.
local function add_to_sums(row, differences)
  local changed = {}
  for name, difference in pairs(differences) do
    if difference ~= 0 then changed[name] = difference end
  end
  if not next(changed) then return end
  local place = sums_of(row)
  local fields = dimensions(row)
  local sums = redis.call('HMGET', place, unpack(fields))
  local after = {}
  for position, field in ipairs(fields) do
    -- Past the bound, several tags of a row share one field, and each of them counts.
    after[field] = packed(after[field] or sums[position], changed, position == 1)
  end
  write(place, after)
  if not sums[1] then
    local tenants = key('sums', day_of(tonumber(row.at)))
    redis.call('SADD', tenants, row.tenant)
    redis.call('PEXPIRE', tenants, setting('sums_ms'))
    redis.call('PEXPIRE', place, setting('sums_ms'))
    -- Once a day is enough for expired rows to leave the index of the tenant.
    redis.call('ZREMRANGEBYSCORE', key('rows', row.tenant), '-inf', int(now - setting('ledger_ms')))
  end
end

${estimatePart}
local function book(before, after)
  local old, new = measures(before), measures(after)
  if before.kind and before.model ~= after.model then
    -- The model of an adopted response has become known, so the row counts under that model from now on.
    for name, value in pairs(old) do old[name] = -value end
    add_to_sums(before, old)
    return add_to_sums(after, new)
  end
  for name, value in pairs(old) do new[name] = (new[name] or 0) - value end
  add_to_sums(after, new)
end

-- Writes the fields of a row that have changed, and books the difference. A field that is false is removed.
local function save_row(before, after)
  if after.kind and not after.crowded then after.crowded = is_crowded(after) and '1' or '0' end
  local changed, removed = {}, {}
  for name, value in pairs(after) do
    if value == false then
      removed[#removed + 1] = name
    elseif before[name] ~= value then
      changed[name] = value
    end
  end
  local place = key('row', after.response_id)
  if #removed > 0 then redis.call('HDEL', place, unpack(removed)) end
  write(place, changed)
  book(before, after)
end

-- Changes a loaded row and books the difference. Returns the row as it is now; nil if the row has expired.
local function change_row(before, change)
  if not before.response_id then return nil end
  -- It holds only what the change writes, and shows the rest through.
  local after = setmetatable({}, {__index = before})
  change(after)
  save_row(before, after)
  return after
end

-- Each tenant has an index of its rows, so that nobody pays for another's.
local function list_for_tenant(row)
  local place = key('rows', row.tenant)
  redis.call('ZADD', place, row.at, row.response_id)
  redis.call('PEXPIRE', place, setting('ledger_ms'))
end

-- How far a response has come with each status. What is known of it only grows, in whatever order it is observed (I11).
local ranks = {queued = 0, in_progress = 0, cancelled = 1, completed = 2, requires_action = 2, failed = 2, incomplete = 2}

-- Writes an observation into a row. A usage may only rise.
local function observe(row, observation)
  if not observation then return end
  local rank = ranks[observation.upstream_status or '']
  local known = ranks[row.upstream_status or ''] or -1
  if rank and rank >= known then row.upstream_status = observation.upstream_status end
  -- An older observation fills in only what no later one has shown.
  local is_older = rank and rank < known
  for _, name in ipairs({'served_model', 'service_tier', 'tool_usage'}) do
    if observation[name] and not (is_older and row[name]) then row[name] = observation[name] end
  end
  -- Only of an adopted response, or one that was found later, is the row much younger than the response.
  if observation.created_at and not row.created_at and observation.created_at < tonumber(row.at) - 5000 then
    row.created_at = int(observation.created_at)
  end
  if row.model == 'unknown' and row.served_model then row.model = row.served_model end
  if observation.usage and observation.total_tokens > tonumber(row.total_tokens or -1) then
    row.usage = observation.usage
    row.input_tokens = int(observation.input_tokens)
    row.output_tokens = int(observation.output_tokens)
    row.total_tokens = int(observation.total_tokens)
    row.cost_usd_micros = observation.cost_usd_micros and int(observation.cost_usd_micros) or false
    row.price_table = observation.price_table
    row.usage_at = now_text
  end
  if row.usage and ranks[row.upstream_status or ''] == 2 then row.status = 'final' end
end

local function open_row(response_id, id, job, bound, observation)
  local row = {
    response_id = response_id, job_id = id, status = 'pending', at = now_text,
    model = job.model or '', tenant = job.tenant or '', tags = job.tags or '[]', chosen_job_id = job.chosen_id,
    completion_window = job.completion_window,
  }
  if bound then
    row.most_tokens = int(bound.tokens)
    local cost = tonumber(bound.cost_usd_micros)
    row.most_cost_usd_micros = cost and int(cost) or nil
  end
  observe(row, observation)
  save_row({}, row)
  redis.call('ZADD', key('rows'), row.at, response_id)
  list_for_tenant(row)
  redis.call('PEXPIRE', key('row', response_id), setting('ledger_ms'))
  return row
end

-- Takes a row out of the ledger and out of its sums, because another lane has the response.
local function remove_row(row)
  book(row, {})
  redis.call('DEL', key('row', row.response_id))
  redis.call('ZREM', key('rows'), row.response_id)
  redis.call('ZREM', key('rows', row.tenant), row.response_id)
  redis.call('ZREM', key('unsettled'), row.response_id)
end

-- A stored prompt, or other code, chose the model. The first observation names it.
local function name_model(id, job, observation)
  if job.model ~= 'unknown' or not observation or not observation.served_model then return end
  job.model = observation.served_model
  redis.call('HSET', key('job', id), 'model', job.model)
end

local function settle_again(response_id, due)
  redis.call('ZADD', key('unsettled'), now + patrol_ms, response_id)
  enter('settle', response_id, due, 0)
end

-- An unwanted response is settled: its tokens are known, or will not become known. Its story and its job's callback say so.
local function tell_settled(row)
  note(row.job_id, 'settled', {
    response_id = row.response_id, status = row.status,
    total_tokens = tonumber(row.total_tokens), cost_usd_micros = tonumber(row.cost_usd_micros),
  })
  if redis.call('HGET', key('job', row.job_id), 'callback') then
    enter('callback', 'waste:' .. row.response_id, now, 0)
  end
end

-- Marks a response that nobody wants any more. It is watched to its end and booked as waste.
local function unwant(response_id, mark, observation)
  local was_unwanted
  local changed = change_row(load(key('row', response_id)), function(row)
    was_unwanted = row.kind == 'wasted' and row.status ~= 'pending'
    if not row.kind then
      row.kind = 'wasted'
      row.cause = mark.cause
      row.reason = mark.reason
      row.by_reason = '1'
      if row.status == 'pending' then row.likely = likely_of(row) end
      row.actor = mark.actor
      row.cancellation = mark.cancellation
      row.ended_at = now_text
    end
    observe(row, observation)
  end)
  -- A row that has expired is not opened again.
  if changed then settle_again(response_id, now) end
  if changed and changed.kind == 'wasted' and changed.status ~= 'pending' and not was_unwanted then tell_settled(changed) end
end
`;
