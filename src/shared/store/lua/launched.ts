import { z } from 'zod';
import { causeSchema } from '../../contract/words.ts';
import { holdPart } from './hold-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Most, Retention, Seen } from './shapes.ts';
import { workSchema } from './work.ts';

export interface LaunchedArguments {
  id: string;
  epoch: number;
  response_id: string;
  first_poll_ms: number;
  /** The most that this response can cost, where something bounds it. */
  most?: Most;
  seen: Seen;
  retention: Retention;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({ reply: z.literal('running'), work: workSchema }),
  z.object({ reply: z.literal('unwanted'), cause: causeSchema, work: workSchema }),
]);
export type LaunchedReply = z.infer<typeof replySchema>;

/**
 * Ties a response's id to its intent and opens its ledger row. Never refused, from whichever worker and however late
 * it comes: a lost id is money that nobody sees (I3, I7). The same call again is harmless.
 * `unwanted`: the job has been decided, or another launch took its place: cancel this response at once.
 */
export const launched = defineScript<LaunchedArguments>()({
  name: 'launched',
  flags: 'allow-oom',
  parts: [ledgerPart, holdPart],
  body: /* lua */ `
local place = key('job', args.id)
local job = load(place)
local row = load(key('row', args.response_id))
local known = row.response_id ~= nil
if not known then row = open_row(args.response_id, args.id, job, args.most) end

if job.status then mark_launch(args.id, args.epoch, {state = 'acknowledged', response_id = args.response_id}) end
if job.model then
  redis.call('HDEL', key('unknowns'), job.model)
  -- A success lifts the alarms that it was tried under. A rate hold ends by its own time.
  for _, scope in ipairs({'account', 'model:' .. job.model}) do
    local held = redis.call('HMGET', key('hold', scope), 'kind', 'since')
    if held[1] == 'alarm' and tonumber(held[2]) <= tonumber(job.intended_at or 0) then
      redis.call('DEL', key('hold', scope))
    end
  end
end

if job.response_id == args.response_id and job.status == 'running' then return reply('running') end
if known and row.kind then return reply('unwanted', {cause = row.cause or 'orphaned'}) end

-- Also a job that went back to the queue, if nothing was launched since: this response is the one that it wants.
if (job.status == 'launching' or job.status == 'queued') and tonumber(job.epoch) == args.epoch then
  if job.parked_scope then redis.call('ZREM', key('parked', job.parked_scope), args.id) end
  redis.call('HDEL', place, 'unknown_at', 'missing_since', 'parked_scope')
  redis.call('HSET', place, 'response_id', args.response_id, 'running_at', now)
  redis.call('HINCRBY', place, 'paid', 1)
  redis.call('ZADD', key('open'), 'XX', next_patrol(tonumber(job.deadline_at)), args.id)
  move(args.id, job, 'running')
  note(args.id, 'launched', {response_id = args.response_id, epoch = args.epoch})
  if args.seen then
    local after = copy(row)
    observe(after, args.seen)
    save_row(row, after)
  end
  schedule('poll', args.id, now + args.first_poll_ms)
  return reply('running')
end

-- Which of the causes: a newer launch; the job's tombstone; or a response found after its job was given up.
local cause = 'orphaned'
local mark = {}
if job.epoch and tonumber(job.epoch) > args.epoch then
  cause = 'superseded'
elseif job.status == 'cancelled' or job.status == 'expired' then
  cause = job.cause
  mark = {reason = job.reason, actor = job.actor}
end
mark.cause = cause
if job.status then note(args.id, 'launched_unwanted', {response_id = args.response_id, epoch = args.epoch, cause = cause}) end
unwant(args.response_id, mark, args.seen)
return reply('unwanted', {cause = cause})
`,
  reply: replySchema,
});
