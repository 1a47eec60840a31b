/** How a new record is written, whichever way the job came in: its fields, its indexes and its first patrol. */
export const recordPart = /* lua */ `
-- In one lane a counter says which job is the newest. Of several lanes the time says it, so that their lists can be merged.
local function next_sequence()
  local sequence = redis.call('INCR', key('sequence'))
  if (args.lanes or 1) == 1 then return int(sequence) end
  -- The caller's own order holds, as far as its clock is right.
  local wanted = args.place or now * sequences_in_a_ms
  wanted = math.max((now - 1000) * sequences_in_a_ms, math.min(wanted, (now + 50) * sequences_in_a_ms))
  if sequence >= wanted then return int(sequence) end
  redis.call('SET', key('sequence'), int(wanted))
  return int(wanted)
end

-- An id of the app was placed by the number of lanes. The fence says which number that has to be.
local function is_misplaced()
  return args.lanes and (redis.call('GET', key('fence')) or '1') ~= int(args.lanes)
end

-- Writes the fields that every record has, and whatever else is given. Returns what the other parts read of a job.
local function write_record(status, fields)
  local job = {sequence = next_sequence(), model = args.model, tenant = args.tenant, tags = args.tags or usual.tags}
  local deadline_at = now + args.deadline_ms
  fields.sequence, fields.tenant, fields.tags = job.sequence, args.tenant, args.tags
  for name, value in pairs(usual) do
    if fields[name] == value then fields[name] = nil end
  end
  fields.model, fields.created_at, fields.deadline_at = args.model, now_text, int(deadline_at)
  move(args.id, job, status, fields)

  redis.call('ZADD', key('tenant', args.tenant), job.sequence, args.id)
  redis.call('ZADD', ids_index(args.id, args.chosen_id), '0', listed_id(args.id, args.chosen_id))
  for _, tag in ipairs(args.tag_list or {}) do redis.call('ZADD', key('tag', tag), job.sequence, args.id) end
  redis.call('ZADD', key('open'), next_patrol(deadline_at), args.id)
  return job
end
`;
