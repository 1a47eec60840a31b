import { z } from 'zod';
import { jobStatusSchema } from '../../contract/words.ts';
import { entryPart } from './entry-part.ts';
import { recordPart } from './record-part.ts';
import { defineScript } from './script.ts';
import { workSchema } from './work.ts';

export interface AcceptArguments {
  id: string;
  tenant: string;
  /** The JSON array that is stored. Left out, like each of these that is as usual, because Redis would have to read it. */
  tags?: string | undefined;
  tag_list?: readonly string[] | undefined;
  model: string;
  /** The beginning of the prompt, in pieces (docs/decisions/0029). Left out, nothing of it is kept in the record. */
  preview?: readonly string[];
  fingerprint: string;
  deadline_ms: number;
  priority?: number | undefined;
  attempts?: number | undefined;
  on_unknown?: 'fail' | 'relaunch' | undefined;
  /** JSON: the app's queue that is told the outcome. */
  notify?: string;
  /** True launches the job as a stream, whose events readers can follow. */
  stream?: boolean | undefined;
  /** How long the provider may take to run the job: `2h`, `8h`. */
  completion_window?: string;
  /** A JSON array: the fields that the create asked the provider to include. */
  include?: string;
  /** The provider's id of the response that this one continues. */
  predecessor?: string;
  /** The id that a caller chose over HTTP. `id` was made from it and the tenant, because tenants may choose the same id. */
  chosen_id?: string;
  /** The process whose callers wait for the job, and for how long it speaks for them: see `attend`. */
  attended_by?: string | undefined;
  attended_for_ms?: number | undefined;
  /** The place in the caller's trace, as W3C's `traceparent`. */
  trace?: string | undefined;
  /** The URL that is told the outcome, and what was wasted. */
  callback?: string | undefined;
  /** `fail`: the job fails where an alarm would keep it back. */
  on_hold?: 'fail' | undefined;
  /** True if the app chose `id` itself. A job that came over HTTP may be known by the same id. */
  is_named?: boolean | undefined;
  /** True if `id` was drawn by chance for this job, so that no other job can have it. */
  is_new?: boolean | undefined;
  /** The number of lanes by which the job was placed. Left out, it is not checked. */
  lanes?: number | undefined;
  /** Where the caller wants the job in the list of several lanes. A sequence, as `write_record` makes them. */
  place?: number | undefined;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({
    reply: z.literal('accepted'),
    status: jobStatusSchema,
    work: workSchema,
  }),
  /** `id` is the job that was there before. */
  z.object({ reply: z.literal('same'), status: jobStatusSchema, id: z.string() }),
  z.object({ reply: z.enum(['conflict', 'taken', 'misplaced']) }),
]);

/** A caller's id means one job of its tenant, whether the job came over HTTP or from the app itself. */
const namesPart = /* lua */ `
local function id_by_another_name()
  if args.chosen_id and redis.call('HGET', key('job', args.chosen_id), 'tenant') == args.tenant then
    return args.chosen_id
  end
  if args.is_named then
    for _, id in ipairs(redis.call('SMEMBERS', key('chosen', args.id))) do
      if redis.call('HGET', key('job', id), 'tenant') == args.tenant then return id end
    end
  end
end
`;

/**
 * Writes a job's record, its indexes and the entry that launches it. The body is the request.
 *
 * `same`: this id with this request is on record, and nothing was written.
 * `conflict`: the id is on record with another request. `taken`: another tenant has it. `misplaced`: the number of lanes was
 * raised, so a job of this id may belong into another lane.
 */
export const accept = defineScript<AcceptArguments>()({
  name: 'accept',
  parts: [entryPart, recordPart, namesPart],
  body: /* lua */ `
-- A client may send this step again because it lost the answer, so a new id is looked up too (I1, I6).
local known = redis.call('EXISTS', key('job', args.id)) == 1 and args.id
if not known and not args.is_new then known = rare.id_by_another_name() end
if known then
  local job = rare.load_job(known)
  if job.tenant ~= args.tenant then return reply('taken') end
  -- The version before kept twice as many digits.
  if (job.fingerprint or ''):sub(1, #args.fingerprint) ~= args.fingerprint then return reply('conflict') end
  return reply('same', {status = job.status, id = known})
end
if not args.is_new and is_misplaced() then return reply('misplaced') end

local record = add({'fingerprint', args.fingerprint}, args, {
  'tags', 'priority', 'attempts', 'on_unknown', 'notify', 'completion_window', 'include', 'predecessor', 'chosen_id', 'on_hold',
  'callback', 'trace',
})
if args.preview then
  for position, piece in ipairs(args.preview) do
    record[#record + 1] = 'preview:' .. int(position)
    record[#record + 1] = piece
  end
end
if args.stream then record = {'stream', 'live', unpack(record)} end
local job = write_record('queued', record)
-- For people, who want to see where a job was gone on from. Nothing is decided by it, so only the newest are kept.
if args.predecessor then
  local place = key('continued', args.predecessor)
  redis.call('ZADD', place, job.sequence, args.id)
  redis.call('ZREMRANGEBYRANK', place, 0, -101)
  redis.call('PEXPIRE', place, setting('record_ms'))
end
if args.attended_by then
  redis.call('HSET', key('job', args.id), 'attended', '1')
  redis.call('ZADD', key('attending', args.id), int(now + args.attended_for_ms), args.attended_by)
  redis.call('ZADD', key('attended'), int(now + args.attended_for_ms), args.id)
end
if args.chosen_id then redis.call('SADD', key('chosen', args.chosen_id), args.id) end
redis.call('SET', key('request', args.id), body)
enter('launch', args.id, now, args.priority or 0, args.is_new)
return reply('accepted', {status = 'queued'})
`,
  reply: replySchema,
});
