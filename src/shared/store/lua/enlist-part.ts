/** What every new job is found by, whichever way it came in. */
export const enlistPart = /* lua */ `
local function enlist(id, job, tags, deadline_ms)
  redis.call('ZADD', key('jobs'), job.sequence, id)
  redis.call('ZADD', key('tenant', job.tenant), job.sequence, id)
  for _, tag in ipairs(tags) do redis.call('ZADD', key('tag', tag), job.sequence, id) end
  redis.call('ZADD', key('open'), next_patrol(now + deadline_ms), id)
end
`;
