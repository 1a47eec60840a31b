/** How a new record is written, whichever way the job came in: its fields, its indexes and its first patrol. */
export const recordPart = /* lua */ `
-- Writes the fields that every record has, and whatever else is given. Returns what the other parts read of a job.
local function write_record(fields)
  local job = {sequence = redis.call('INCR', key('sequence')), model = args.model, tenant = args.tenant, tags = args.tags}
  local deadline_at = now + args.deadline_ms
  redis.call('HSET', key('job', args.id),
    'id', args.id, 'sequence', job.sequence, 'tenant', args.tenant, 'tags', args.tags, 'model', args.model,
    'created_at', now, 'deadline_at', int(deadline_at))
  for name, value in pairs(fields) do redis.call('HSET', key('job', args.id), name, value) end

  redis.call('ZADD', key('jobs'), job.sequence, args.id)
  redis.call('ZADD', key('tenant', args.tenant), job.sequence, args.id)
  for _, tag in ipairs(args.tag_list) do redis.call('ZADD', key('tag', tag), job.sequence, args.id) end
  redis.call('ZADD', key('open'), next_patrol(deadline_at), args.id)
  return job
end
`;
