import { z } from 'zod';
import { entryPart } from './entry-part.ts';
import { defineScript } from './script.ts';
import { workSchema } from './work.ts';

export interface ReportCallbackArguments {
  id: string;
  /** What the message tells: `outcome`, or `waste:` and the response's id. */
  about: string;
  /** What came of sending it. */
  how: 'delivered' | 'failed';
  /** What the receiver answered, or why nothing was sent or answered. */
  code: string;
  /** After this long the message is given up. */
  give_up_ms: number;
}

/** Notes what came of sending a message to a job's callback. `tries` counts it. */
export const reportCallback = defineScript<ReportCallbackArguments>()({
  name: 'report_callback',
  flags: 'allow-oom',
  body: /* lua */ `
local field = 'callback:' .. args.about
local place = key('job', args.id)
if redis.call('EXISTS', place) == 0 then return reply('missing') end
local known = redis.call('HGET', place, field)
local state = known and cjson.decode(known) or {tries = 0, since = now}
state.tries = state.tries + 1
local how = args.how
if how == 'failed' and now >= state.since + args.give_up_ms then how = 'given_up' end
if how == 'failed' then
  redis.call('HSET', place, field, cjson.encode(state))
else
  redis.call('HDEL', place, field)
end
note(args.id, 'callback_' .. how, {about = args.about, code = args.code, tries = state.tries})
return reply(how, {tries = state.tries})
`,
  reply: z.discriminatedUnion('reply', [
    z.object({ reply: z.enum(['delivered', 'failed', 'given_up']), tries: z.number() }),
    z.object({ reply: z.literal('missing') }),
  ]),
});

/** Sends the message about a job's outcome again, as if it had just ended. */
export const resendCallback = defineScript<{ id: string }>()({
  name: 'resend_callback',
  flags: 'allow-oom',
  parts: [entryPart],
  body: /* lua */ `
local job = load_job(args.id)
if not job.status then return reply('missing') end
if not job.callback then return reply('no_callback') end
if open[job.status] then return reply('still_open') end
redis.call('HDEL', key('job', args.id), 'callback:outcome')
note(args.id, 'callback_resent')
enter('callback', 'outcome:' .. args.id, now, 0)
return reply('resent')
`,
  reply: z.object({ reply: z.enum(['resent', 'still_open', 'no_callback', 'missing']), work: workSchema }),
});
