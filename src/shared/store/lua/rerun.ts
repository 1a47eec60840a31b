import { z } from 'zod';
import { holdPart } from './hold-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Hold, Retention, Seen } from './shapes.ts';
import { workSchema } from './work.ts';

export interface RerunArguments {
  id: string;
  code: string;
  due_in_ms: number;
  /** After a failed run: the response that failed. After an unknown launch: the epoch that was given up. */
  response_id?: string;
  epoch?: number;
  /** How long an unknown launch waits for its response's id: until then the answer is `early` (I15). */
  grace_ms?: number;
  /** False where the upstream refused by a rate limit after all and nothing was used: it costs no attempt. */
  counts?: boolean;
  seen?: Seen;
  hold?: Hold;
  retention: Retention;
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
 * Sends a job back to the queue for another paid launch: after a run that failed for a passing reason, while attempts
 * are left, or after an unknown launch where the job itself chose `relaunch` (I6). The old response is unwanted.
 */
export const rerun = defineScript<RerunArguments>()({
  name: 'rerun',
  parts: [ledgerPart, holdPart],
  body: /* lua */ `
local most_free_reruns = 20
local most_relaunches = 10
local place = key('job', args.id)
local job = load(place)
if args.response_id then
  if job.status ~= 'running' or job.response_id ~= args.response_id then return reply('stale') end
  -- Somebody else's create: we have nothing to send again.
  if job.adopted then return reply('exhausted') end
  -- What readers have heard cannot be unsaid by another run.
  if job.stream_spoke then return reply('exhausted') end
  if args.counts and tonumber(job.paid) >= tonumber(job.attempts) then return reply('exhausted') end
  -- A provider that keeps refusing like this is not tried for ever (I9).
  local free = not args.counts and redis.call('HINCRBY', place, 'free_reruns', 1) <= most_free_reruns
  if not args.counts and not free and tonumber(job.paid) >= tonumber(job.attempts) then return reply('exhausted') end
  if free then redis.call('HINCRBY', place, 'paid', -1) end
  unwant(args.response_id, {cause = 'failed'}, args.seen)
else
  if job.status ~= 'launching' or tonumber(job.epoch) ~= args.epoch or not job.unknown_at then return reply('stale') end
  local in_ms = tonumber(job.unknown_at) + args.grace_ms - now
  if in_ms > 0 then return reply('early', {in_ms = in_ms}) end
  if job.on_unknown ~= 'relaunch' or redis.call('HINCRBY', place, 'relaunches', 1) > most_relaunches then
    return reply('exhausted')
  end
end
redis.call('HDEL', place, 'response_id', 'missing_since', 'unknown_at', 'stream_token', 'stream_numbers')
-- What readers were given stays as it is: the next run's events come after it, and are numbered from there.
if job.stream_last then redis.call('HSET', place, 'stream_base', string.format('%.0f', tonumber(job.stream_last) + 1)) end
redis.call('ZREM', key('streams'), args.id)
note(args.id, 'queued_again', {code = args.code})
-- A run that was refused by a rate limit is bounded by its free reruns, so the answer is never that the job is the problem.
return queue_again(args.id, job, args.due_in_ms, args.hold) or queue_again(args.id, job, args.due_in_ms)
`,
  reply: replySchema,
});
