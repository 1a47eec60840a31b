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

-- Writes the fields that every record has, with whatever else is given as a list of names and values in turns, and the indexes.
-- Returns what the other parts read of a job.
local function write_record(status, record)
  local job = {sequence = next_sequence(), model = args.model, tenant = args.tenant, tags = args.tags or usual.tags}
  local deadline_at = now + args.deadline_ms
  move(args.id, job, status, {
    'sequence', job.sequence, 'model', args.model, 'created_at', now_text, 'tenant', args.tenant,
    'deadline_at', int(deadline_at), unpack(record),
  })
  redis.call('ZADD', key('tenant', args.tenant), job.sequence, args.id)
  redis.call('ZADD', ids_index(args.id, args.chosen_id), '0', listed_id(args.id, args.chosen_id))
  if args.tag_list then
    for _, tag in ipairs(args.tag_list) do redis.call('ZADD', key('tag', tag), job.sequence, args.id) end
  end
  redis.call('ZADD', key('open'), next_patrol(deadline_at), args.id)
  return job
end
`;
