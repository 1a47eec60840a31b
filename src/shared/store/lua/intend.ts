import { z } from 'zod';
import { outcomeStatusSchema } from '../../contract/words.ts';
import { holdPart } from './hold-part.ts';
import { defineScript } from './script.ts';

export interface IntendArguments {
  id: string;
  /** Names the activation that asks, so that asking again after a lost answer gets the same answer. */
  token: string;
  max_in_flight: number;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({ reply: z.literal('intended'), epoch: z.number() }),
  z.object({ reply: z.literal('unresolved'), epoch: z.number(), state: z.enum(['intended', 'unknown']) }),
  z.object({ reply: z.literal('held'), scope: z.string() }),
  z.object({ reply: z.literal('final'), status: outcomeStatusSchema, unknown_epoch: z.number().optional() }),
  z.object({ reply: z.enum(['running', 'paused', 'full', 'expired', 'missing']) }),
]);
export type IntendReply = z.infer<typeof replySchema>;

/**
 * Writes the durable intent that precedes every POST (I4). Each intent has a new epoch, so a reused job id never meets an old one.
 *
 * `unresolved`: an earlier intent has no known end, so there is no second launch (I6). `full`: HEADSTONE_MAX_IN_FLIGHT is
 * reached (I9). `paused`: launching is paused, also for entries that a worker took before. `held`: a hold keeps the job back;
 * it is parked and comes back when the hold ends. `expired`: the deadline has passed and the caller must decide the job.
 */
export const intend = defineScript<IntendArguments>()({
  name: 'intend',
  parts: [holdPart],
  body: /* lua */ `
local place = key('job', args.id)
local job = load(place)
if not job.status then return reply('missing') end
if not open[job.status] then
  -- The job was decided while a worker sent its POST, and that worker never came back: its launch is unknown.
  local written = job.epoch and job['launch:' .. job.epoch]
  local last = written and cjson.decode(written)
  if not last or last.state ~= 'intended' then return reply('final', {status = job.status}) end
  mark_launch(args.id, last.epoch, {state = 'unknown', code = 'worker_lost'})
  note(args.id, 'launch_unknown', {epoch = last.epoch, code = 'worker_lost'})
  return reply('final', {status = job.status, unknown_epoch = last.epoch})
end
if job.status == 'running' then return reply('running') end
if job.status == 'launching' then
  if job.intent_token == args.token and not job.unknown_at then return reply('intended', {epoch = tonumber(job.epoch)}) end
  return reply('unresolved', {epoch = tonumber(job.epoch), state = job.unknown_at and 'unknown' or 'intended'})
end
if tonumber(job.deadline_at) <= now then return reply('expired') end
-- This is BullMQ's own mark, so pausing the queue from any board has the same effect.
if redis.call('HEXISTS', key('launch', 'meta'), 'paused') == 1 then return reply('paused') end
if redis.call('ZCARD', key('status', 'launching')) + redis.call('ZCARD', key('status', 'running')) >= args.max_in_flight then
  return reply('full')
end

local scope = pass_holds(job)
if scope then
  park(args.id, job, scope)
  return reply('held', {scope = scope})
end

local epoch = redis.call('INCR', key('epoch'))
if job.parked_scope then redis.call('ZREM', key('parked', job.parked_scope), args.id) end
redis.call('HDEL', place, 'parked_scope', 'unknown_at')
redis.call('HSET', place, 'epoch', epoch, 'intended_at', now, 'intent_token', args.token)
mark_launch(args.id, epoch, {state = 'intended'})
move(args.id, job, 'launching')
note(args.id, 'launching', {epoch = epoch})
return reply('intended', {epoch = epoch})
`,
  reply: replySchema,
});
