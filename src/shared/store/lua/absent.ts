import { z } from 'zod';
import { defineScript } from './script.ts';

export interface AbsentArguments {
  id: string;
  response_id: string;
  /** False if the provider showed the response again. */
  absent: boolean;
}

const replySchema = z.object({ reply: z.literal('noted'), for_ms: z.number() });

/** Times for how long the provider has answered 404 for a running job's response. A 404 can pass, so one proves nothing. */
export const absent = defineScript<AbsentArguments>()({
  name: 'absent',
  flags: 'allow-oom',
  body: /* lua */ `
local place = key('job', args.id)
local job = load_job(args.id)
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
