import { z } from 'zod';
import { CLIENT_DISCONNECTED } from '../../contract/words.ts';
import { defineScript } from './script.ts';

export interface ResendArguments {
  /** The digest of the API key and the body. */
  digest: string;
  /** How often the client has sent this request before, by its own count. */
  count: number;
  /** The job's id if this is a first send. */
  new_id: string;
  /** How long after a send a re-send still means the same request. */
  window_ms: number;
  /** True also finds the job of an equal create whose caller went away a moment ago. */
  takes_over?: boolean;
  /** True only looks: if this lane knows of no earlier send, another one may, and nothing is noted here. */
  only_looks?: boolean;
}

const replySchema = z.object({ reply: z.enum(['first', 'again']), id: z.string() });

/**
 * Finds the job of a create that an SDK sent again because it got no answer. Send number n continues the send with the
 * nearest smaller number and takes its place in the list. So two requests with equal bodies never become one job.
 */
export const resend = defineScript<ResendArguments>()({
  name: 'resend',
  body: /* lua */ `
local most_kept = 1000
local most_looked_at = 20
-- A caller who joins a job that was left has this long to attend it.
local joining_ms = 5000

local function keep(id)
  local place = key('sends', args.digest, int(args.count))
  redis.call('LPUSH', place, cjson.encode({id = id, at = now, by = args.new_id}))
  redis.call('LTRIM', place, 0, most_kept - 1)
  redis.call('PEXPIRE', place, args.window_ms)
end

-- A caller that has asked for a job by its id has received the answer to its create, and does not send it again.
local function was_answered(id)
  return redis.call('EXISTS', key('answered', id)) == 1
end

-- Nobody came back for it in time. Who comes now wants another run.
local function was_left(id)
  local known = redis.call('HMGET', key('job', id), 'status', 'reason')
  return known[1] == 'cancelled' and known[2] == '${CLIENT_DISCONNECTED}'
end

-- A connection that broke may have sent this very question before.
for _, line in ipairs(redis.call('LRANGE', key('sends', args.digest, int(args.count)), 0, most_looked_at - 1)) do
  local send = cjson.decode(line)
  if send.by == args.new_id then return reply(send.id == args.new_id and 'first' or 'again', {id = send.id}) end
end

for number = args.count - 1, 0, -1 do
  local place = key('sends', args.digest, int(number))
  for _ = 1, most_kept do
    local line = redis.call('LPOP', place)
    if not line then break end
    local send = cjson.decode(line)
    if now - send.at > args.window_ms then
      -- The list begins with the newest, so all the others are too old as well.
      redis.call('DEL', place)
    elseif not was_answered(send.id) and not was_left(send.id) then
      keep(send.id)
      return reply('again', {id = send.id})
    end
  end
end
-- Many clients send a create again without saying so. The job that the first one left would be cancelled in a moment, or has
-- ended since and nobody has read its result.
local takeable = {queued = true, launching = true, running = true, completed = true, incomplete = true}
local left = args.takes_over and redis.call('GET', key('left', args.digest))
if left and takeable[redis.call('HGET', key('job', left), 'status') or ''] then
  redis.call('DEL', key('left', args.digest))
  if redis.call('EXISTS', key('attending', left)) == 1 then
    redis.call('ZADD', key('attending', left), int(now + joining_ms), 'joining')
    redis.call('ZADD', key('attended'), 'GT', int(now + joining_ms), left)
  end
  keep(left)
  return reply('again', {id = left})
end
if not args.only_looks then keep(args.new_id) end
return reply('first', {id = args.new_id})
`,
  reply: replySchema,
});
