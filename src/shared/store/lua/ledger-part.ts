import { lateBoundsMs } from '../../contract/ledger.ts';

/**
 * Rows and sums, for the scripts that write them. `book` moves the sums by the difference between a row before and
 * after, so whatever happens to a row, and in whatever order, the sums are the sums of the rows (I3, I11).
 */
export const ledgerPart = /* lua */ `
local function day_of(ms)
  -- Civil date from days since 1970 (Howard Hinnant's algorithm): Redis gives Lua no calendar.
  local z = math.floor(ms / 86400000) + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02d', year, month, doy - math.floor((153 * mp + 2) / 5) + 1)
end

-- How late results came, as a histogram: its last bound is open.
local late_bounds_ms = {${lateBoundsMs.join(', ')}}

local function late_measure(late_by_ms)
  for _, bound in ipairs(late_bounds_ms) do
    if late_by_ms < bound then return 'late_' .. string.format('%.0f', bound) end
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

local function dimensions(row)
  local found = {{'all', ''}, {'model', row.model}}
  for _, tag in ipairs(cjson.decode(row.tags)) do found[#found + 1] = {'tag', tag} end
  if row.kind == 'wasted' then
    found[#found + 1] = {'cause', row.cause}
    found[#found + 1] = {'actor', row.actor or ''}
  end
  return found
end

local most_sum_fields = 200000

-- A hash for each tenant: nobody pays for another's sums, nor is crowded by them (I12).
local function sums_of(row)
  return key('sums', day_of(tonumber(row.at)), row.tenant)
end

-- Asked once a row, when it is first booked: all that follows goes to the same places.
local function is_crowded(row)
  return redis.call('HLEN', sums_of(row)) > most_sum_fields
end

-- Adds to the sums wherever a row counts, by measure.
local function add_to_sums(row, differences)
  local place = sums_of(row)
  local crowded = row.crowded == '1'
  local moved = false
  for name, difference in pairs(differences) do
    if difference ~= 0 then
      moved = true
      local places = dimensions(row)
      -- Of the histogram one copy a tenant is enough.
      if name:sub(1, 5) == 'late_' then places = {{'all', ''}} end
      for _, dimension in ipairs(places) do
        local value = dimension[2]
        -- Actors and tags are free text: past the bound a day's further ones share one place (I9).
        if crowded and (dimension[1] == 'actor' or dimension[1] == 'tag') then value = '(other)' end
        local field = cjson.encode({dimension[1], value, name})
        redis.call('HINCRBY', place, field, string.format('%.0f', difference))
      end
    end
  end
  if moved then
    local tenants = key('sums', day_of(tonumber(row.at)))
    redis.call('SADD', tenants, row.tenant)
    redis.call('PEXPIRE', tenants, args.retention.sums_ms)
    redis.call('PEXPIRE', place, args.retention.sums_ms)
  end
end

local function book(before, after)
  local old, new = measures(before), measures(after)
  if before.kind and before.model ~= after.model then
    -- An adopted response whose model has become known counts elsewhere from now on.
    for name, value in pairs(old) do old[name] = -value end
    add_to_sums(before, old)
    return add_to_sums(after, new)
  end
  for name, value in pairs(old) do new[name] = (new[name] or 0) - value end
  add_to_sums(after, new)
end

local function save_row(before, after)
  if after.kind and not after.crowded then after.crowded = is_crowded(after) and '1' or '0' end
  local place = key('row', after.response_id)
  for name in pairs(before) do
    if after[name] == nil then redis.call('HDEL', place, name) end
  end
  for name, value in pairs(after) do
    if before[name] ~= value then redis.call('HSET', place, name, value) end
  end
  book(before, after)
end

local function copy(row)
  local twin = {}
  for name, value in pairs(row) do twin[name] = value end
  return twin
end

-- A tenant reads their own index, so that nobody pays for another's rows; what has expired leaves it here.
local function list_for_tenant(row)
  local place = key('rows', row.tenant)
  redis.call('ZADD', place, row.at, row.response_id)
  redis.call('ZREMRANGEBYSCORE', place, '-inf', now - args.retention.ledger_ms)
  redis.call('PEXPIRE', place, args.retention.ledger_ms)
end

local function open_row(response_id, id, job, most)
  local row = {
    response_id = response_id, job_id = id, status = 'pending', at = string.format('%.0f', now),
    model = job.model or '', tenant = job.tenant or '', tags = job.tags or '[]', chosen_job_id = job.chosen_id,
    completion_window = job.completion_window,
  }
  if most then
    row.most_tokens = string.format('%.0f', most.tokens)
    local cost = tonumber(most.cost_usd_micros)
    row.most_cost_usd_micros = cost and string.format('%.0f', cost) or nil
  end
  save_row({}, row)
  redis.call('ZADD', key('rows'), now, response_id)
  list_for_tenant(row)
  redis.call('PEXPIRE', key('row', response_id), args.retention.ledger_ms)
  return row
end

-- How far a status is from the start: what we saw of a response only grows, in whatever order we hear of it (I11).
local ranks = {queued = 0, in_progress = 0, cancelled = 1, completed = 2, requires_action = 2, failed = 2, incomplete = 2}

-- Takes what a look at the upstream showed into a row: a usage may only rise.
local function observe(row, seen)
  if not seen then return end
  local rank = ranks[seen.upstream_status or '']
  local known = ranks[row.upstream_status or ''] or -1
  if rank and rank >= known then row.upstream_status = seen.upstream_status end
  -- An older look tells of these only what no later one has told.
  local is_older = rank and rank < known
  for _, name in ipairs({'served_model', 'service_tier', 'tool_usage'}) do
    if seen[name] and not (is_older and row[name]) then row[name] = seen[name] end
  end
  if seen.created_at and not row.created_at then row.created_at = string.format('%.0f', seen.created_at) end
  if row.model == 'unknown' and row.served_model then row.model = row.served_model end
  if seen.usage and seen.total_tokens > tonumber(row.total_tokens or -1) then
    row.usage = seen.usage
    row.input_tokens = string.format('%.0f', seen.input_tokens)
    row.output_tokens = string.format('%.0f', seen.output_tokens)
    row.total_tokens = string.format('%.0f', seen.total_tokens)
    row.cost_usd_micros = seen.cost_usd_micros and string.format('%.0f', seen.cost_usd_micros) or nil
    row.price_table = seen.price_table
    row.usage_at = string.format('%.0f', now)
  end
  if row.usage and ranks[row.upstream_status or ''] == 2 then row.status = 'final' end
end

local function settle_again(response_id, due)
  redis.call('ZADD', key('unsettled'), now + patrol_ms, response_id)
  schedule('settle', response_id, due)
end

-- From here on nobody wants this response: it is followed to its end and booked as waste.
local function unwant(response_id, mark, seen)
  local before = load(key('row', response_id))
  -- A row that has outlived its time is not opened again.
  if not before.response_id then return end
  local after = copy(before)
  if not after.kind then
    after.kind = 'wasted'
    after.cause = mark.cause
    after.reason = mark.reason
    after.actor = mark.actor
    after.ended_at = string.format('%.0f', now)
  end
  observe(after, seen)
  save_row(before, after)
  settle_again(response_id, now)
end
`;
