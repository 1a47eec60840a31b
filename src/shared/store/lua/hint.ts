import { z } from 'zod';
import { defineScript } from './script.ts';
import { workSchema } from './work.ts';

export interface HintArguments {
  response_id: string;
  /** Names the message that hints, so that its copies are told. */
  message_id: string;
  /** True in the lane that looks after responses which no lane knows. */
  is_stranger?: boolean;
}

const replySchema = z.object({ reply: z.enum(['noted', 'again', 'over', 'unknown']), work: workSchema });

/** Providers send a message again for up to 72 h. */
const HEARD_MS = 80 * 3_600_000;

/** The answer to the create of a response may be on its way to its job. */
const STRANGER_WAITS_MS = 5000;

/**
 * Notes that a response may have ended, and brings the next look at it forward. What the message says decides nothing: a hint
 * that is wrong, late or missing changes only when somebody looks (I11). `again`: this message came before. `over`: what the
 * response cost is known. `unknown`: no response of this lane has the id.
 */
export const hint = defineScript<HintArguments>()({
  name: 'hint',
  flags: 'allow-oom',
  body: /* lua */ `
local most_heard = 8
local row = load(key('row', args.response_id))
if not row.response_id then
  if not args.is_stranger then return reply('unknown') end
  local place = key('heard', args.message_id)
  if not redis.call('SET', place, '1', 'PX', ${HEARD_MS}, 'NX') then return reply('again') end
  redis.call('SET', key('stranger', args.response_id), int(now), 'PX', ${HEARD_MS})
  schedule('settle', args.response_id, now + ${STRANGER_WAITS_MS})
  return reply('noted')
end

-- A row lives longer than the provider repeats itself, so it remembers the messages about it.
local heard = row.heard and cjson.decode(row.heard) or {}
for _, message_id in ipairs(heard) do
  if message_id == args.message_id then return reply('again') end
end
heard[#heard + 1] = args.message_id
if #heard > most_heard then table.remove(heard, 1) end
local fields = {heard = cjson.encode(heard)}
if row.kind and row.status == 'final' then
  write(key('row', args.response_id), fields)
  return reply('over')
end
if row.kind then
  fields.hinted = '1'
  schedule('settle', args.response_id, now)
else
  schedule('poll', row.job_id, now)
end
write(key('row', args.response_id), fields)
return reply('noted')
`,
  reply: replySchema,
});
