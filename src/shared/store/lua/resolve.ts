import { z } from 'zod';
import type { Hold } from '../../contract/holds.ts';
import { entryPart } from './entry-part.ts';
import { finishPart } from './finish-part.ts';
import { holdPart } from './hold-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Came, Refusal } from './shapes.ts';
import { workSchema } from './work.ts';

type Resolution =
  /** The request is wrong. It never ran and never will. */
  | { how: 'refused'; next: 'failed'; code: string; message: string; refusal?: Refusal | undefined }
  /** The create never ran. The job goes back to the queue: at once, later, or until a hold ends. */
  | {
      how: 'refused';
      next: 'queued';
      code: string;
      message?: string;
      refusal?: Refusal | undefined;
      due_in_ms: number;
      hold?: Hold;
    }
  /** The response may be running. `witnessed`: the worker that sent the create says so; five of those in a row hold the model. */
  | { how: 'unknown'; code: string; message?: string; grace_ms: number; witnessed: boolean };

export type ResolveArguments = Resolution & {
  id: string;
  epoch: number;
  /** Left out if nothing is known about it. */
  came?: Came;
  /** Given if the deployment has several lanes. */
  is_only_tenant?: boolean | undefined;
};

const replySchema = z.discriminatedUnion('reply', [
  z.object({
    reply: z.enum(['queued', 'unknown', 'failed']),
    held_ms: z.number().optional(),
    held_scope: z.string().optional(),
    is_news: z.boolean().default(false),
    work: workSchema,
  }),
  z.object({ reply: z.literal('stale'), is_news: z.boolean().default(false), work: workSchema }),
]);

/**
 * Ends an intent that has no response, as refused or as unknown (I4). `stale`: the job has moved on without this worker,
 * whose finding is written to the launch and changes nothing else (I7). `is_news`: the launch was still intended.
 */
export const resolve = defineScript<ResolveArguments>()({
  name: 'resolve',
  flags: 'allow-oom',
  parts: [entryPart, ledgerPart, finishPart, holdPart],
  body: /* lua */ `
local most_kept_refusals = 20
local alarm_ms = 60000
local place = key('job', args.id)
local job = load_job(args.id)
if not job.status then return reply('stale') end

local launch = launch_of(job, args.epoch)
local state = launch and launch.state
-- True if nobody had heard of this end before.
local is_news = state == 'intended'
-- What is known of a launch only grows: intended, then unknown, then refused or acknowledged.
if state == 'intended' or (state == 'unknown' and args.how == 'refused') then
  store_launch(args.id, job, args.epoch, {state = args.how, code = args.code})
end
unlist_intent(args.id, args.epoch)
if job.status ~= 'launching' or tonumber(job.epoch) ~= args.epoch then return reply('stale', {is_news = is_news}) end
lift_alarms(job, args.came, launch and tonumber(launch.at) or 0)

if args.how == 'unknown' then
  if job.unknown_at then return reply('stale', {is_news = is_news}) end
  local held_ms, held_scope
  if args.witnessed then
    for _, scope in ipairs(accused(args.id, job, 'unknown', 'model:' .. job.model)) do
      local new_ms = hold(scope, {kind = 'alarm', code = 'launches_unknown', for_ms = alarm_ms})
      if new_ms then held_ms, held_scope = new_ms, scope end
    end
  end
  redis.call('HSET', place, 'unknown_at', now, 'unknown_says', args.message or '')
  note(args.id, 'launch_unknown', {epoch = args.epoch, code = args.code})
  schedule('poll', args.id, now + args.grace_ms)
  return reply('unknown', {held_ms = held_ms, held_scope = held_scope, is_news = is_news})
end

redis.call('HDEL', place, 'unknown_at')
-- A refused launch made no response, so the record keeps only the newest of them (I9).
local refusals = cjson.decode(job.refusals or '[]')
refusals[#refusals + 1] = args.epoch
if #refusals > most_kept_refusals then
  redis.call('HDEL', place, 'launch:' .. int(table.remove(refusals, 1)))
end
redis.call('HSET', place, 'refusals', cjson.encode(refusals))
note(args.id, 'launch_refused', {epoch = args.epoch, code = args.code})
local queued, held
if args.next == 'queued' then queued, held = queue_again(args.id, job, args.due_in_ms, args.hold) end
if queued then return queued end
finish(args.id, job, {status = 'failed', code = args.code, message = args.message, refusal = args.refusal})
return reply('failed', held)
`,
  reply: replySchema,
});
