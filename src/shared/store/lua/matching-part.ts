/** Which jobs a cancellation matches. They are read in chunks from the newest to the oldest, along the smallest index. */
export const matchingPart = /* lua */ `
local function smallest_index(filter)
  local sources, size = {}, 0
  for status in pairs(open) do
    if not filter.status or filter.status == status then
      sources[#sources + 1] = key('status', status)
      size = size + redis.call('ZCARD', key('status', status))
    end
  end
  for _, named in ipairs({'tenant', 'tag'}) do
    if filter[named] then
      local place = key(named, filter[named])
      local members = redis.call('ZCARD', place)
      if members < size then sources, size = {place}, members end
    end
  end
  return sources
end

-- The next ids below a sequence, as {id, sequence}. A job keeps its sequence when its status changes, so none is missed.
local function next_jobs(filter, below, limit)
  local found = {}
  if filter.ids then
    -- If the filter names ids, their position in it stands for the sequence, counted down.
    for position = math.min(below - 1, #filter.ids), 1, -1 do
      if #found == limit then break end
      found[#found + 1] = {filter.ids[position], position}
    end
    return found
  end
  for _, place in ipairs(smallest_index(filter)) do
    local flat = redis.call('ZREVRANGEBYSCORE', place, '(' .. int(below), '-inf',
      'WITHSCORES', 'LIMIT', 0, limit)
    for position = 1, #flat, 2 do found[#found + 1] = {flat[position], tonumber(flat[position + 1])} end
  end
  table.sort(found, function(left, right) return left[2] > right[2] end)
  for position = #found, limit + 1, -1 do found[position] = nil end
  return found
end

local function has_tag(job, tag)
  for _, own in ipairs(cjson.decode(job.tags)) do
    if own == tag then return true end
  end
  return false
end

local function matches(job, filter)
  return job.status and open[job.status]
    and (not filter.status or job.status == filter.status)
    and (not filter.tenant or job.tenant == filter.tenant)
    and (not filter.model or job.model == filter.model)
    and (not filter.tag or has_tag(job, filter.tag))
    and (not filter.created_before or tonumber(job.created_at) <= filter.created_before)
    and (not filter.created_after or tonumber(job.created_at) >= filter.created_after)
end
`;

/** A filter for the scripts. Ages have become times on Redis' clock. */
export interface StoredFilter {
  ids?: string[];
  tenant?: string;
  tag?: string;
  status?: string;
  model?: string;
  created_before?: number;
  created_after?: number;
}
