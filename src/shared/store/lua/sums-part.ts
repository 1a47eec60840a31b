import { lateBoundsMs } from '../../contract/ledger.ts';

/**
 * Says what a row counts in the sums, and in which of them: a tenant has sums for each day, of all rows and by model, tag, cause,
 * actor, reason and bulk cancel.
 */
export const sumsPart = /* lua */ `
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
    -- Rows of the version before have no estimate, and none of their sums does. An estimate without a price is none for the sums.
    local tokens, cost = string.match(row.likely or '', '^(%d+) (%d+)$')
    if tokens then
      found[prefix .. 'likely_tokens'] = tonumber(tokens)
      found[prefix .. 'likely_cost_usd_micros'] = tonumber(cost)
    elseif row.likely then
      found[prefix .. 'unestimated'] = 1
    end
  end
  if row.late_by_ms then found[rare.late_measure(tonumber(row.late_by_ms))] = 1 end
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

local model_fields = {}

local function model_field(model)
  model_fields[model] = model_fields[model] or cjson.encode({'model', model})
  return model_fields[model]
end

-- The fields in which a row is counted: ["model","gpt-5.5"].
local function dimensions(row)
  local fields = {'["all",""]', model_field(row.model)}
  if row.kind == 'used' and row.tags == '[]' then return fields end
  local crowded = row.crowded == '1'
  local found = {}
  -- Actors, reasons and tags are free text, and bulk cancels may be many. Past the bound, a day's further ones share one place (I9).
  for _, tag in ipairs(cjson.decode(row.tags)) do found[#found + 1] = {'tag', crowded and '(other)' or tag} end
  if row.kind == 'wasted' then
    found[#found + 1] = {'cause', row.cause}
    found[#found + 1] = {'actor', crowded and '(other)' or row.actor or ''}
    -- The version before did not count by reason, and its rows must not be taken out of sums that they were never in.
    if row.cancellation then found[#found + 1] = {'cancellation', crowded and '(other)' or row.cancellation} end
    if row.by_reason then found[#found + 1] = {'reason', crowded and '(other)' or row.reason or ''} end
  end
  for _, dimension in ipairs(found) do fields[#fields + 1] = cjson.encode(dimension) end
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
local function packed(text, differences)
  local new = {}
  for name, difference in pairs(differences) do new[name] = difference end
  local words = text ~= '' and text .. ' ' or ''
  words = words:gsub('([%w_]+)=(-?%d+) ', function(name, value)
    local difference = new[name]
    if not difference then return nil end
    new[name] = nil
    local sum = value + difference
    return sum == 0 and '' or name .. '=' .. int(sum) .. ' '
  end)
  for name, difference in pairs(new) do
    if difference ~= 0 then words = words .. name .. '=' .. int(difference) .. ' ' end
  end
  return words:sub(1, -2)
end

-- What the calls of one command change in sums, by the hash. The first field is the tenant's own.
local booked = {}

local function write_sum(place, sums)
  local before = redis.call('HMGET', place, unpack(sums.fields))
  local own = sums.changes[sums.fields[1]]
  local known, after = {}, {}
  for position, field in ipairs(sums.fields) do
    local text, change = before[position] or '', sums.changes[field]
    -- If a tenant has used one model that day, for instance, the model's sum is the tenant's.
    local is_same = change.rows == own.rows and not change.is_repeated and not own.is_late
    after[field] = is_same and known[text] or packed(text, change.by)
    if is_same then known[text] = after[field] end
  end
  write(place, after)
  if not before[1] then
    redis.call('SADD', sums.tenants, sums.tenant)
    redis.call('PEXPIRE', sums.tenants, setting('sums_ms'))
    redis.call('PEXPIRE', place, setting('sums_ms'))
    -- Once a day is enough for expired rows to leave the index of the tenant. It outlives the rows of this day, and of the next.
    local listed = key('rows', sums.tenant)
    redis.call('ZREMRANGEBYSCORE', listed, '-inf', int(now - setting('ledger_ms')))
    redis.call('PEXPIRE', listed, int(setting('ledger_ms') + 2 * 86400000))
  end
end

local function booked_at(row)
  local place = sums_of(row)
  if booked[place] then return booked[place] end
  local sums = {tenant = row.tenant, tenants = key('sums', day_of(tonumber(row.at))), fields = {}, changes = {}}
  booked[place] = sums
  endings[#endings + 1] = function() write_sum(place, sums) end
  return sums
end

-- Adds the differences to the sums in every dimension of the row, once for all calls of this command.
local function add_to_sums(row, differences)
  local changed = {}
  for name, difference in pairs(differences) do
    if difference ~= 0 then changed[name] = difference end
  end
  if not next(changed) then return end
  local fields = dimensions(row)
  local sums = booked_at(row)
  for position, field in ipairs(fields) do
    local change = sums.changes[field]
    if not change then
      change = {rows = 0, by = {}}
      sums.changes[field] = change
      sums.fields[#sums.fields + 1] = field
    end
    change.rows = change.rows + 1
    -- Past the bound, several tags of a row share one field, and each of them counts.
    change.is_repeated = change.is_repeated or change.newest == changed
    change.newest = changed
    change.is_late = change.is_late or row.late_by_ms
    for name, difference in pairs(changed) do
      -- The histogram is kept once for the tenant, and not for each dimension.
      if position == 1 or name:sub(1, 5) ~= 'late_' then change.by[name] = (change.by[name] or 0) + difference end
    end
  end
end
`;
