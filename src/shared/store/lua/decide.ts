import { z } from 'zod';
import { outcomeStatusSchema } from '../../contract/words.ts';
import { entryPart } from './entry-part.ts';
import { finishPart } from './finish-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Observation, Refusal } from './shapes.ts';
import { workSchema } from './work.ts';

export type Decision =
  | {
      status: 'completed' | 'incomplete';
      response_id: string;
      observation: Observation;
      has_result: true;
      /** The items of the result's output, which a later request may name. */
      item_ids?: string[];
      /** True if the store has every event of the stream, so that none has to be made up from the result. */
      stream_complete?: boolean;
    }
  /** With an epoch, the decision holds only while that launch is the job's newest and has no answer (I7). */
  | {
      status: 'failed';
      response_id?: string;
      epoch?: number;
      /** True decides only a job of which no launch is under way. */
      unlaunched?: true;
      /** Decides only a job whose response the provider has answered 404 for, for this long and until now. */
      missing_ms?: number;
      code: string;
      message: string;
      refusal?: Refusal | undefined;
      observation?: Observation;
      /** The call's body is that of the failed run, which the job's owner may read. */
      has_body?: true;
    }
  | {
      status: 'cancelled';
      cause: 'cancelled';
      reason?: string;
      actor?: string;
      key_name?: string;
      response_id?: string;
      observation?: Observation;
      /** True cancels only a job that callers attended and that none attends now. */
      only_unattended?: boolean;
    }
  | { status: 'expired'; cause: 'expired' };

/** `poll_lock`: a worker's lock on the entry of the job's poll. The entry ends with the decision, which is its work. */
export type DecideArguments = Decision & { id: string; poll_lock?: string | undefined };

const replySchema = z.discriminatedUnion('reply', [
  z.object({
    reply: z.literal('decided'),
    model: z.string(),
    response_id: z.string().optional(),
    entry_ended: z.boolean().optional(),
    work: workSchema,
  }),
  z.object({ reply: z.literal('already'), status: outcomeStatusSchema }),
  z.object({ reply: z.enum(['early', 'stale', 'missing', 'attended']) }),
]);

/**
 * Gives an open job its one outcome, once (I1, I2). The call's body is the result's, if there is one. No other step publishes it.
 *
 * `already`: another decision came first and stands. `stale`: what the decision is about is no longer so: the response is not
 * the job's any more, or the launch not its newest, or somebody has launched it or seen its response since (I7). `attended`: a caller waits for the job. `early`: by Redis' clock the deadline has not passed, whatever a pod's own clock says (I15).
 */
export const decide = defineScript<DecideArguments>()({
  name: 'decide',
  flags: 'allow-oom',
  parts: [entryPart, ledgerPart, finishPart],
  body: /* lua */ `
local job = load_job(args.id)
if not job.status then return reply('missing') end
if not open[job.status] then return reply('already', {status = job.status}) end
if args.response_id and args.response_id ~= job.response_id then return reply('stale') end
if args.epoch and (job.status ~= 'launching' or tonumber(job.epoch) ~= args.epoch) then return reply('stale') end
if args.unlaunched and job.status ~= 'queued' then return reply('stale') end
if args.missing_ms and now - tonumber(job.missing_since or now) < args.missing_ms then return reply('stale') end
if args.status == 'expired' and tonumber(job.deadline_at) > now then
  return reply('early')
end
if args.only_unattended then
  local last = redis.call('ZRANGE', key('attending', args.id), -1, -1, 'WITHSCORES')
  if not job.attended or tonumber(last[2] or 0) > now then return reply('attended') end
end
finish(args.id, job, args)
local entry_ended = args.poll_lock and end_poll(args.id, args.poll_lock)
return reply('decided', {model = job.model, response_id = job.response_id, entry_ended = entry_ended})
`,
  reply: replySchema,
});
