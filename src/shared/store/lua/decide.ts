import { z } from 'zod';
import { outcomeStatusSchema } from '../../contract/words.ts';
import { finishPart } from './finish-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Retention, Seen } from './shapes.ts';
import { workSchema } from './work.ts';

export type Decision =
  | {
      status: 'completed' | 'incomplete';
      response_id: string;
      seen: Seen;
      has_result: true;
      /** Of the result's output: a later request may name them. */
      item_ids?: string[];
      /** Every event of the stream is in the store, so nothing has to be made up from the result. */
      stream_complete?: boolean;
    }
  /** With an epoch: only while that launch is still the job's, and without an answer. */
  | {
      status: 'failed';
      response_id?: string;
      epoch?: number;
      code: string;
      message: string;
      seen?: Seen;
      /** ARGV[2] is what the failed run left: its owner may read it. */
      has_body?: true;
    }
  | {
      status: 'cancelled';
      cause: 'cancelled';
      reason?: string;
      actor?: string;
      key_name?: string;
      response_id?: string;
      seen?: Seen;
    }
  | { status: 'expired'; cause: 'expired' };

export type DecideArguments = Decision & { id: string; retention: Retention };

const replySchema = z.discriminatedUnion('reply', [
  z.object({ reply: z.literal('decided'), model: z.string(), response_id: z.string().optional(), work: workSchema }),
  z.object({ reply: z.literal('already'), status: outcomeStatusSchema }),
  z.object({ reply: z.enum(['early', 'stale', 'missing']) }),
]);
export type DecideReply = z.infer<typeof replySchema>;

/**
 * The tombstone's script: open to one outcome, once (I1, I2). ARGV[2] is the result's body, where there is one;
 * nothing but this step ever publishes it. `already`: who came first has won · `stale`: the decision speaks of a
 * response that is no longer the job's (I7) · `early`: by Redis' clock the deadline is not over, whatever a pod's own
 * clock says (I15).
 */
export const decide = defineScript<DecideArguments>()({
  name: 'decide',
  flags: 'allow-oom',
  parts: [ledgerPart, finishPart],
  body: /* lua */ `
local job = load(key('job', args.id))
if not job.status then return reply('missing') end
if not open[job.status] then return reply('already', {status = job.status}) end
if args.response_id and args.response_id ~= job.response_id then return reply('stale') end
if args.epoch and (job.status ~= 'launching' or tonumber(job.epoch) ~= args.epoch) then return reply('stale') end
if args.status == 'expired' and tonumber(job.deadline_at) > now then
  return reply('early')
end
finish(args.id, job, args)
return reply('decided', {model = job.model, response_id = job.response_id})
`,
  reply: replySchema,
});
