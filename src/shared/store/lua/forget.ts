import { z } from 'zod';
import { defineScript } from './script.ts';

export interface ForgetArguments {
  /** How many records to remove at once, and how many rows of the ledger. */
  limit: number;
}

const replySchema = z.object({ reply: z.literal('forgotten'), records: z.number() });

/** Removes expired records with their indexes, rows of the ledger that are too old, and the names of holds that have expired. A record with an unsettled response stays for another 7 days. */
export const forget = defineScript<ForgetArguments>()({
  name: 'forget',
  isLong: true,
  flags: 'allow-oom',
  body: /* lua */ `
local longer_ms = 7 * 86400000
-- The version before listed all jobs here. They are in the indexes of their statuses.
redis.call('UNLINK', key('jobs'))
-- A hold that nobody lifted has expired, and tenants choose the names of models (I9).
for _, scope in ipairs(redis.call('SRANDMEMBER', key('held_scopes'), 20)) do
  if redis.call('EXISTS', key('hold', scope)) == 0 then redis.call('SREM', key('held_scopes'), scope) end
end
-- A patrol would look at an entry without a record or a row for ever, and in time at nothing else (I9).
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('open'), '-inf', now, 'LIMIT', 0, args.limit)) do
  if redis.call('EXISTS', key('job', id)) == 0 then redis.call('ZREM', key('open'), id) end
end
for _, response_id in ipairs(redis.call('ZRANGEBYSCORE', key('unsettled'), '-inf', now, 'LIMIT', 0, args.limit)) do
  if redis.call('EXISTS', key('row', response_id)) == 0 then redis.call('ZREM', key('unsettled'), response_id) end
end
-- A time to live for each row would take a fiftieth of a job's space.
for _, response_id in ipairs(
  redis.call('ZRANGEBYSCORE', key('rows'), '-inf', int(now - setting('ledger_ms')), 'LIMIT', 0, args.limit)
) do
  redis.call('DEL', key('row', response_id))
  redis.call('ZREM', key('rows'), response_id)
end
local records = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('ended'), '-inf', now, 'LIMIT', 0, args.limit)) do
  local place = key('job', id)
  local job = load_job(id)
  local unsettled = false
  local function watch(response_id)
    if response_id and redis.call('ZSCORE', key('unsettled'), response_id) then unsettled = true end
  end
  watch(job.response_id)
  for name, value in pairs(job) do
    if string.sub(name, 1, 7) == 'launch:' then watch(cjson.decode(value).response_id) end
  end
  if unsettled then
    redis.call('ZADD', key('ended'), now + longer_ms, id)
  else
    if job.status then
      redis.call('ZREM', key('status', job.status), id)
      redis.call('ZREM', key('tenant', job.tenant), id)
      redis.call('ZREM', ids_index(id, job.chosen_id), listed_id(id, job.chosen_id))
      -- The version before had one index for all.
      redis.call('ZREM', key('ids'), id)
      for _, tag in ipairs(cjson.decode(job.tags)) do redis.call('ZREM', key('tag', tag), id) end
      if job.chosen_id then redis.call('SREM', key('chosen', job.chosen_id), id) end
    end
    redis.call('ZREM', key('ended'), id)
    redis.call('DEL', place, key('request', id), key('result', id), key('timeline', id), key('events', id))
    records = records + 1
  end
end
return reply('forgotten', {records = records})
`,
  reply: replySchema,
});
