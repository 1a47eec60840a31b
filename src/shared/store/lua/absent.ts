import { z } from 'zod';
import { defineScript } from './script.ts';

export interface AbsentArguments {
  id: string;
  response_id: string;
  /** False: the response was seen again. */
  absent: boolean;
}

const replySchema = z.object({ reply: z.literal('noted'), for_ms: z.number() });

/** How long the upstream has been answering 404 for a running job's response: a 404 can pass, so it is timed. */
export const absent = defineScript<AbsentArguments>()({
  name: 'absent',
  flags: 'allow-oom',
  body: /* lua */ `
local place = key('job', args.id)
local job = load(place)
if job.status ~= 'running' or job.response_id ~= args.response_id then return reply('noted', {for_ms = 0}) end
if not args.absent then
  redis.call('HDEL', place, 'missing_since')
  return reply('noted', {for_ms = 0})
end
redis.call('HSETNX', place, 'missing_since', now)
return reply('noted', {for_ms = now - tonumber(job.missing_since or now)})
`,
  reply: replySchema,
});
