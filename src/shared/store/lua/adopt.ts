import { z } from 'zod';
import { jobStatusSchema } from '../../contract/words.ts';
import { entryPart } from './entry-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { recordPart } from './record-part.ts';
import { defineScript } from './script.ts';
import { workSchema } from './work.ts';

export interface AdoptArguments {
  id: string;
  response_id: string;
  tenant: string;
  /** The JSON array that is stored. */
  tags: string;
  tag_list: readonly string[];
  /** `unknown` until the first observation names it. */
  model: string;
  deadline_ms: number;
  /** JSON: the app's queue that is told the outcome. */
  notify?: string;
  /** The place in the caller's trace, as W3C's `traceparent`. */
  trace?: string | undefined;
  /** The URL that is told the outcome, and what was wasted. */
  callback?: string | undefined;
  /** The number of lanes by which the job was placed. Left out, it is not checked. */
  lanes?: number;
  /** Until when the caller has a claim on the response, by the lane's clock. Left out, it needs none. */
  claimed_until?: number | undefined;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({ reply: z.literal('adopted'), work: workSchema }),
  z.object({ reply: z.literal('same'), status: jobStatusSchema }),
  z.object({ reply: z.enum(['conflict', 'taken', 'misplaced', 'late']) }),
]);

/**
 * Adopts a response that other code created: writes a job that is running already, its ledger row and its next poll.
 *
 * `same`: the response was adopted before. `conflict`: the id or the response belongs to another job of this tenant.
 * `taken`: it belongs to another tenant. `misplaced`: as of `accept`. `late`: the claim is over, and another lane may have adopted it.
 */
export const adopt = defineScript<AdoptArguments>()({
  name: 'adopt',
  parts: [entryPart, ledgerPart, recordPart],
  body: /* lua */ `
local known = load_job(args.id)
if known.status then
  if known.tenant ~= args.tenant then return reply('taken') end
  if known.response_id ~= args.response_id then return reply('conflict') end
  return reply('same', {status = known.status})
end
-- A job that came over HTTP may be known by this id, and its caller would find the wrong job.
for _, chosen in ipairs(redis.call('SMEMBERS', key('chosen', args.id))) do
  if redis.call('HGET', key('job', chosen), 'tenant') == args.tenant then return reply('conflict') end
end
local row = load(key('row', args.response_id))
if row.response_id then return reply(row.tenant == args.tenant and 'conflict' or 'taken') end
if is_misplaced() then return reply('misplaced') end
if args.claimed_until and now > args.claimed_until then return reply('late') end

local epoch = redis.call('INCR', key('epoch'))
local record = add({
  'fingerprint', '', 'paid', 1, 'adopted', 1, 'epoch', epoch, 'response_id', args.response_id, 'running_at', now_text,
}, args, {'tags', 'notify', 'callback', 'trace'})
local job = write_record('running', record)
store_launch(args.id, job, epoch, {state = 'acknowledged', response_id = args.response_id})
open_row(args.response_id, args.id, job)
note(args.id, 'adopted', {response_id = args.response_id})
enter('poll', args.id, now, 0)
return reply('adopted')
`,
  reply: replySchema,
});
