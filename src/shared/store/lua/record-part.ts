/** How a new record is written, whichever way the job came in: its fields, its indexes and its first patrol. */
export const recordPart = /* lua */ `
-- Writes the fields that every record has, and whatever else is given. Returns what the other parts read of a job.
local function write_record(status, fields)
  local job = {sequence = redis.call('INCR', key('sequence')), model = args.model, tenant = args.tenant, tags = args.tags}
  local deadline_at = now + args.deadline_ms
  fields.sequence, fields.tenant, fields.tags = job.sequence, args.tenant, args.tags
  for name, value in pairs(usual) do
    if tostring(fields[name]) == value then fields[name] = nil end
  end
  fields.model, fields.created_at, fields.deadline_at = args.model, now, int(deadline_at)
  move(args.id, job, status, fields)

  redis.call('ZADD', key('tenant', args.tenant), job.sequence, args.id)
  for _, tag in ipairs(args.tag_list) do redis.call('ZADD', key('tag', tag), job.sequence, args.id) end
  redis.call('ZADD', key('open'), next_patrol(deadline_at), args.id)
  return job
end
`;
