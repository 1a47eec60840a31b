import { z } from 'zod';
import { jobStatusSchema } from '../../contract/words.ts';
import { enlistPart } from './enlist-part.ts';
import { defineScript } from './script.ts';
import { ENTRY_PREFIX, workSchema } from './work.ts';

export interface AcceptArguments {
  id: string;
  tenant: string;
  /** A JSON array, as it is stored. */
  tags: string;
  tag_list: readonly string[];
  model: string;
  fingerprint: string;
  deadline_ms: number;
  priority: number;
  attempts: number;
  on_unknown: 'fail' | 'relaunch';
  /** JSON: the app's own queue that hears of the outcome. */
  notify?: string;
  /** Launched as a stream, whose events readers can follow. */
  stream: boolean;
  /** By when the provider promises to have run it: `2h`, `8h`. */
  completion_window?: string;
  /** A JSON array: what the create asked to have included. */
  include?: string;
  /** The provider's id of the response that this one continues. */
  predecessor?: string;
  /** The id that a caller over HTTP chose. Tenants must not meet in each other's ids, so `id` was made from both. */
  chosen_id?: string;
  /** The app chose `id` itself, and a job that came over HTTP may go by the same id. */
  is_named?: boolean;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({
    reply: z.literal('accepted'),
    status: jobStatusSchema,
    /** An earlier job had this id, and BullMQ still keeps its entry: it would ignore another one. */
    has_leftover: z.boolean(),
    work: workSchema,
  }),
  /** `id`: the job that was there before. */
  z.object({ reply: z.literal('same'), status: jobStatusSchema, id: z.string() }),
  z.object({ reply: z.enum(['conflict', 'taken']) }),
]);

/**
 * Writes the record, its indexes, and the entry that launches it. ARGV[2] is the request.
 * `same`: the id and the request are known, nothing was written · `conflict`: known with another request ·
 * `taken`: known to another tenant.
 */
export const accept = defineScript<AcceptArguments>()({
  name: 'accept',
  parts: [enlistPart],
  body: /* lua */ `
-- Seen from outside, each id means one job of a tenant, whichever way it came in.
local function known_id()
  if redis.call('EXISTS', key('job', args.id)) == 1 then return args.id end
  if args.chosen_id and redis.call('HGET', key('job', args.chosen_id), 'tenant') == args.tenant then
    return args.chosen_id
  end
  if args.is_named then
    for _, id in ipairs(redis.call('SMEMBERS', key('chosen', args.id))) do
      if redis.call('HGET', key('job', id), 'tenant') == args.tenant then return id end
    end
  end
end

local known = known_id()
if known then
  local job = load(key('job', known))
  if job.tenant ~= args.tenant then return reply('taken') end
  if job.fingerprint ~= args.fingerprint then return reply('conflict') end
  return reply('same', {status = job.status, id = known})
end

local sequence = redis.call('INCR', key('sequence'))
local place = key('job', args.id)
local job = {sequence = sequence, tenant = args.tenant}
redis.call('HSET', place,
  'id', args.id, 'sequence', sequence, 'tenant', args.tenant, 'tags', args.tags, 'model', args.model,
  'fingerprint', args.fingerprint, 'priority', args.priority, 'attempts', args.attempts, 'paid', 0,
  'on_unknown', args.on_unknown, 'created_at', now, 'deadline_at', string.format('%.0f', now + args.deadline_ms))
if args.notify then redis.call('HSET', place, 'notify', args.notify) end
if args.stream then redis.call('HSET', place, 'stream', 'live') end
if args.completion_window then redis.call('HSET', place, 'completion_window', args.completion_window) end
if args.include then redis.call('HSET', place, 'include', args.include) end
if args.predecessor then redis.call('HSET', place, 'predecessor', args.predecessor) end
if args.chosen_id then
  redis.call('HSET', place, 'chosen_id', args.chosen_id)
  redis.call('SADD', key('chosen', args.chosen_id), args.id)
end
redis.call('SET', key('request', args.id), ARGV[2])
move(args.id, job, 'queued')
enlist(args.id, job, args.tag_list, args.deadline_ms)
note(args.id, 'enqueued')
schedule('launch', args.id, now, args.priority)
local leftover = redis.call('EXISTS', key('launch', '${ENTRY_PREFIX}' .. args.id)) == 1
return reply('accepted', {status = 'queued', has_leftover = leftover})
`,
  reply: replySchema,
});
