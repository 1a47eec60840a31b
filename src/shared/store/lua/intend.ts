import { z } from 'zod';
import { outcomeStatusSchema } from '../../contract/words.ts';
import { holdPart } from './hold-part.ts';
import { defineScript } from './script.ts';

export interface IntendArguments {
  id: string;
  /** Of the activation that asks: the same question again gets the same answer. */
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
 * The durable intent that precedes every POST (I4), with a new epoch that no reused id can meet again.
 * `unresolved`: an earlier intent's fate is not known, so no second launch (I6) · `full`: HEADSTONE_MAX_IN_FLIGHT is
 * reached (I9) · `paused`: the switch for spending is off, also for an entry that was taken before · `held`: the job was parked and comes back when the hold ends · `expired`: decide it.
 */
export const intend = defineScript<IntendArguments>()({
  name: 'intend',
  parts: [holdPart],
  body: /* lua */ `
local trial_ms = 60000
local place = key('job', args.id)
local job = load(place)
if not job.status then return reply('missing') end
if not open[job.status] then
  -- Decided while a worker was at its POST, and that worker never came back: its launch is unknown too.
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
-- BullMQ's own mark, so that its pause from any board means the same.
if redis.call('HEXISTS', key('launch', 'meta'), 'paused') == 1 then return reply('paused') end
if redis.call('ZCARD', key('status', 'launching')) + redis.call('ZCARD', key('status', 'running')) >= args.max_in_flight then
  return reply('full')
end

local trials = {}
for _, scope in ipairs(scopes_of(job)) do
  local held = redis.call('HMGET', key('hold', scope), 'until', 'kind')
  if held[1] and tonumber(held[1]) > now then
    park(args.id, job, scope)
    return reply('held', {scope = scope})
  end
  if held[1] and held[2] == 'alarm' then trials[#trials + 1] = scope end
end
-- The end of an alarm lets one job through; its success lifts the hold.
for _, scope in ipairs(trials) do
  redis.call('HSET', key('hold', scope), 'until', string.format('%.0f', now + trial_ms))
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
