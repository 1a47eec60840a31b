import { z } from 'zod';
import type { Hold } from '../../contract/holds.ts';
import { entryPart } from './entry-part.ts';
import { holdPart } from './hold-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Observation } from './shapes.ts';
import { workSchema } from './work.ts';

export interface RerunArguments {
  id: string;
  code: string;
  due_in_ms: number;
  /** The response of the run that failed. Left out after an unknown launch. */
  response_id?: string;
  /** The epoch of the unknown launch. */
  epoch?: number;
  /** How long an unknown launch waits for its response's id. Until then the reply is `early` (I15). */
  grace_ms?: number;
  /** False if the run failed by a rate limit and used nothing: it does not count as an attempt. */
  counts?: boolean;
  observation?: Observation;
  hold?: Hold;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({
    reply: z.literal('queued'),
    held_ms: z.number().optional(),
    held_scope: z.string().optional(),
    work: workSchema,
  }),
  z.object({ reply: z.literal('early'), in_ms: z.number() }),
  z.object({ reply: z.enum(['stale', 'exhausted']) }),
]);

/**
 * Sends a job back to the queue for another paid launch: after a run that failed for a passing reason, if attempts are left,
 * or after an unknown launch, if the job chose `relaunch` (I6). Nobody wants the old response any more.
 */
export const rerun = defineScript<RerunArguments>()({
  name: 'rerun',
  parts: [entryPart, ledgerPart, holdPart],
  body: /* lua */ `
local most_free_reruns = 20
local most_relaunches = 10
local place = key('job', args.id)
local job = load_job(args.id)
if args.response_id then
  if job.status ~= 'running' or job.response_id ~= args.response_id then return reply('stale') end
  -- Other code created an adopted response, so there is no request to send again.
  if job.adopted then return reply('exhausted') end
  -- Readers have received part of this run's output, which another run cannot take back.
  if job.stream_spoke then return reply('exhausted') end
  if args.counts and tonumber(job.paid) >= tonumber(job.attempts) then return reply('exhausted') end
  -- A provider that keeps failing like this is not tried for ever (I9).
  local free = not args.counts and redis.call('HINCRBY', place, 'free_reruns', 1) <= most_free_reruns
  if not args.counts and not free and tonumber(job.paid) >= tonumber(job.attempts) then return reply('exhausted') end
  if free then redis.call('HINCRBY', place, 'paid', -1) end
  unwant(args.response_id, {cause = 'failed'}, args.observation)
  -- The next launch takes over the job's fields, so this one gets its own.
  store_launch(args.id, job, tonumber(job.epoch), {acknowledged_at = tonumber(job.running_at)})
else
  if job.status ~= 'launching' or tonumber(job.epoch) ~= args.epoch or not job.unknown_at then return reply('stale') end
  local in_ms = tonumber(job.unknown_at) + args.grace_ms - now
  if in_ms > 0 then return reply('early', {in_ms = in_ms}) end
  if job.on_unknown ~= 'relaunch' or redis.call('HINCRBY', place, 'relaunches', 1) > most_relaunches then
    return reply('exhausted')
  end
end
redis.call('HDEL', place, 'response_id', 'missing_since', 'unknown_at', 'stream_token', 'stream_numbers')
-- Readers keep the events that they have. Those of the next run are numbered from there.
if job.stream_last then redis.call('HSET', place, 'stream_base', int(tonumber(job.stream_last) + 1)) end
redis.call('ZREM', key('streams'), args.id)
note(args.id, 'rerun', {code = args.code})
-- Reruns after a rate limit are bounded above, so a job that is itself the problem is queued again without a hold.
return queue_again(args.id, job, args.due_in_ms, args.hold) or queue_again(args.id, job, args.due_in_ms)
`,
  reply: replySchema,
});
