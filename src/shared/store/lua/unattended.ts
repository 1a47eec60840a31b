import { z } from 'zod';
import { defineScript } from './script.ts';

export interface UnattendedArguments {
  /** How long a process that fell silent may still speak for its callers. */
  last_call_ms: number;
  limit: number;
}

const replySchema = z.object({ reply: z.literal('listed'), ids: z.array(z.string()) });

/** The process whose callers left has this long to cancel the job itself. */
const OWN_HAND_MS = 2000;

/**
 * Finds the jobs that nobody attends any more. Each has a last call first: after an outage of Redis every process is late, and
 * those that live say so again within it. No clock but Redis' decides, and who attends is asked again when the job is decided.
 */
export const unattended = defineScript<UnattendedArguments>()({
  name: 'unattended',
  isLong: true,
  flags: 'allow-oom',
  body: /* lua */ `
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('attended'), '-inf', now - ${OWN_HAND_MS}, 'LIMIT', 0, args.limit)) do
  redis.call('ZREM', key('attended'), id)
  if open[redis.call('HGET', key('job', id), 'status') or ''] then
    redis.call('ZADD', key('last_calls'), int(now + args.last_call_ms), id)
  end
end
local ids = redis.call('ZRANGEBYSCORE', key('last_calls'), '-inf', now, 'LIMIT', 0, args.limit)
-- One that could not be decided now is looked at again.
for _, id in ipairs(ids) do redis.call('ZADD', key('last_calls'), int(now + args.last_call_ms), id) end
return string.format('{"reply":"listed","now":%s,"ids":%s}', int(now), #ids > 0 and cjson.encode(ids) or '[]')
`,
  reply: replySchema,
});
