import { estimatePart } from './estimate-part.ts';
import { sumsPart } from './sums-part.ts';

/**
 * How the scripts write rows and sums. `book` moves the sums by the difference between a row before and after a change. So
 * the sums are always the sums of the rows, whatever happens to a row and in whatever order (I3, I11).
 */
export const ledgerPart = /* lua */ `
${sumsPart}
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

-- Writes the fields of a row that have changed. A field that is false is removed.
local function write_row(before, after)
  local changed, length, removed = {}, 0, {}
  for name, value in pairs(after) do
    if value == false then
      removed[#removed + 1] = name
    elseif before[name] ~= value then
      changed[length + 1] = name
      changed[length + 2] = value
      length = length + 2
    end
  end
  local place = key('row', after.response_id)
  if #removed > 0 then redis.call('HDEL', place, unpack(removed)) end
  if length > 0 then redis.call('HSET', place, unpack(changed)) end
end

-- Writes what has changed, and books the difference.
local function save_row(before, after)
  if after.kind and not after.crowded then after.crowded = is_crowded(after) and '1' or '0' end
  write_row(before, after)
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
  redis.call('ZADD', key('rows', row.tenant), row.at, row.response_id)
end

-- How far a response has come with each status. What is known of it only grows, in whatever order it is observed (I11).
local ranks = {queued = 0, in_progress = 0, cancelled = 1, completed = 2, requires_action = 2, failed = 2, incomplete = 2}

-- What an observation may say once and again.
local described = {'served_model', 'service_tier', 'tool_usage'}

-- Writes an observation into a row. A usage may only rise.
local function observe(row, observation)
  if not observation then return end
  local rank = ranks[observation.upstream_status or '']
  local known = ranks[row.upstream_status or ''] or -1
  if rank and rank >= known then row.upstream_status = observation.upstream_status end
  -- An older observation fills in only what no later one has shown.
  local is_older = rank and rank < known
  for position = 1, #described do
    local name = described[position]
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
  -- It has no kind yet, so it is in no sum.
  write_row({}, row)
  redis.call('ZADD', key('rows'), row.at, response_id)
  list_for_tenant(row)
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
      if row.status == 'pending' then row.likely = rare.likely_of(row) end
      row.actor = mark.actor
      row.cancellation = mark.cancellation
      row.ended_at = now_text
    end
    observe(row, observation)
  end)
  -- A row that has expired is not opened again.
  if changed then settle_again(response_id, now) end
  if changed and changed.kind == 'wasted' and changed.status ~= 'pending' and not was_unwanted then rare.tell_settled(changed) end
end
`;
