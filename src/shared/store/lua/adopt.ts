import { z } from 'zod';
import { jobStatusSchema } from '../../contract/words.ts';
import { enlistPart } from './enlist-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Retention } from './shapes.ts';
import { workSchema } from './work.ts';

export interface AdoptArguments {
  id: string;
  response_id: string;
  tenant: string;
  /** A JSON array, as it is stored. */
  tags: string;
  tag_list: readonly string[];
  /** `unknown` until the first look says it. */
  model: string;
  deadline_ms: number;
  /** JSON: the app's own queue that hears of the outcome. */
  notify?: string;
  retention: Retention;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({ reply: z.literal('adopted'), work: workSchema }),
  z.object({ reply: z.literal('same'), status: jobStatusSchema }),
  z.object({ reply: z.enum(['conflict', 'taken']) }),
]);

/**
 * Guards a response that somebody else's code has created: a job that runs already, with its row and its next look.
 * `same`: it was adopted before · `conflict`: the id or the response belongs to another job · `taken`: to another tenant.
 */
export const adopt = defineScript<AdoptArguments>()({
  name: 'adopt',
  parts: [ledgerPart, enlistPart],
  body: /* lua */ `
local place = key('job', args.id)
local job = load(place)
if job.status then
  if job.tenant ~= args.tenant then return reply('taken') end
  if job.response_id ~= args.response_id then return reply('conflict') end
  return reply('same', {status = job.status})
end
-- A job that came over HTTP may go by this id: its caller would find another one.
for _, chosen in ipairs(redis.call('SMEMBERS', key('chosen', args.id))) do
  if redis.call('HGET', key('job', chosen), 'tenant') == args.tenant then return reply('conflict') end
end
local row = load(key('row', args.response_id))
if row.response_id then return reply(row.tenant == args.tenant and 'conflict' or 'taken') end

local sequence = redis.call('INCR', key('sequence'))
local epoch = redis.call('INCR', key('epoch'))
job = {sequence = sequence, model = args.model, tenant = args.tenant, tags = args.tags}
redis.call('HSET', place,
  'id', args.id, 'sequence', sequence, 'tenant', args.tenant, 'tags', args.tags, 'model', args.model,
  'fingerprint', '', 'priority', 0, 'attempts', 1, 'paid', 1, 'adopted', 1, 'on_unknown', 'fail', 'epoch', epoch,
  'response_id', args.response_id, 'running_at', now,
  'created_at', now, 'deadline_at', string.format('%.0f', now + args.deadline_ms))
if args.notify then redis.call('HSET', place, 'notify', args.notify) end
mark_launch(args.id, epoch, {state = 'acknowledged', response_id = args.response_id})
move(args.id, job, 'running')
enlist(args.id, job, args.tag_list, args.deadline_ms)
open_row(args.response_id, args.id, job)
note(args.id, 'adopted', {response_id = args.response_id})
schedule('poll', args.id, now)
return reply('adopted')
`,
  reply: replySchema,
});
