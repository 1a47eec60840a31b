import { z } from 'zod';
import { outcomeStatusSchema } from '../../contract/words.ts';
import { holdPart } from './hold-part.ts';
import { defineScript } from './script.ts';

export interface IntendArguments {
  id: string;
  /** Names the activation that asks, so that asking again after a lost answer gets the same answer. */
  token: string;
  max_in_flight: number;
  /** True if this process follows as many streams as it may. */
  streams_full?: boolean;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({
    reply: z.literal('intended'),
    epoch: z.number(),
    model: z.string(),
    predecessor: z.string().optional(),
    /** JSON: the fields that the create included. */
    include: z.string().optional(),
    completion_window: z.string().optional(),
    is_stream: z.boolean(),
    trace: z.string().optional(),
    /** The request, JSON. Null if the job was cancelled and its request deleted meanwhile. */
    text: z.string().nullable(),
  }),
  z.object({ reply: z.literal('unresolved'), epoch: z.number(), state: z.enum(['intended', 'unknown']) }),
  z.object({ reply: z.literal('held'), scope: z.string() }),
  z.object({
    reply: z.literal('refused'),
    code: z.string(),
    http_status: z.string().transform(Number).optional(),
  }),
  z.object({ reply: z.literal('final'), status: outcomeStatusSchema, unknown_epoch: z.number().optional() }),
  z.object({ reply: z.literal('no_slot'), waited_ms: z.number() }),
  z.object({ reply: z.enum(['running', 'paused', 'full', 'expired', 'missing']) }),
]);
export type IntendReply = z.infer<typeof replySchema>;

/** What calls of one command share: whether launching is paused, and how many launches have no outcome. */
const capPart = /* lua */ `
local known_queue

local function launch_queue()
  known_queue = known_queue or {
    -- This is BullMQ's own mark, so pausing the queue from any board has the same effect.
    is_paused = redis.call('HEXISTS', key('launch', 'meta'), 'paused') == 1,
    -- Of several lanes, each has a share of the cap.
    share = tonumber(redis.call('HGET', key('share'), 'in_flight') or nil),
    in_flight = redis.call('ZCARD', key('status', 'launching')) + redis.call('ZCARD', key('status', 'running')),
  }
  return known_queue
end
`;

/**
 * Writes the durable intent that precedes every POST (I4). Each intent has a new epoch, so a reused job id never meets an old one.
 *
 * `unresolved`: an earlier intent has no known end, so there is no second launch (I6). `full`: HEADSTONE_MAX_IN_FLIGHT is
 * reached (I9). `paused`: launching is paused, also for entries that a worker took before. `held`: a hold keeps the job back;
 * it is parked and comes back when the hold ends. `refused`: an alarm holds it, and it does not
 * wait for those: the caller must decide it. `no_slot`: the job is a stream, and the caller has no room for it. `expired`:
 * the deadline has passed and the caller must decide the job.
 */
export const intend = defineScript<IntendArguments>()({
  name: 'intend',
  parts: [holdPart, capPart],
  body: /* lua */ `
-- What the worker needs for the POST comes with the permission to send it.
local function intended(job, epoch)
  local answer = reply('intended', {
    epoch = epoch, model = job.model, predecessor = job.predecessor, include = job.include,
    completion_window = job.completion_window, is_stream = job.stream == 'live', trace = job.trace,
  })
  return {answer, redis.call('GET', key('request', args.id))}
end

local job = load_job(args.id)
if not job.status then return reply('missing') end
if not open[job.status] then
  -- The job was decided while a worker sent its POST, and that worker never came back: its launch is unknown.
  local last = job.epoch and rare.launch_of(job, tonumber(job.epoch))
  if not last or last.state ~= 'intended' then return reply('final', {status = job.status}) end
  rare.store_launch(args.id, job, last.epoch, {state = 'unknown', code = 'worker_lost'})
  rare.unlist_intent(args.id, last.epoch)
  rare.note(args.id, 'launch_unknown', {epoch = last.epoch, code = 'worker_lost'})
  return reply('final', {status = job.status, unknown_epoch = last.epoch})
end
if job.status == 'running' then return reply('running') end
if job.stream == 'live' and args.streams_full then
  return reply('no_slot', {waited_ms = now - tonumber(job.created_at)})
end
if job.status == 'launching' then
  if job.intent_token == args.token and not job.unknown_at then return intended(job, tonumber(job.epoch)) end
  return reply('unresolved', {epoch = tonumber(job.epoch), state = job.unknown_at and 'unknown' or 'intended'})
end
if tonumber(job.deadline_at) <= now then return reply('expired') end
local queue = launch_queue()
if queue.is_paused then return reply('paused') end
if queue.in_flight >= math.min(queue.share or args.max_in_flight, args.max_in_flight) then return reply('full') end

local scope = pass_holds(job)
if scope then
  local held = redis.call('HMGET', key('hold', scope), 'kind', 'code', 'http_status')
  if job.on_hold == 'fail' and held[1] == 'alarm' then
    return reply('refused', {code = held[2], http_status = held[3] or nil})
  end
  rare.park(args.id, job, scope)
  return reply('held', {scope = scope})
end

queue.in_flight = queue.in_flight + 1
local epoch = redis.call('INCR', key('epoch'))
if job.parked_scope then redis.call('ZREM', key('parked', job.parked_scope), args.id) end
remove(args.id, job, {'parked_scope', 'unknown_at'})
list_intent(args.id, epoch)
move(args.id, job, 'launching', {'epoch', int(epoch), 'intended_at', now_text, 'intent_token', args.token})
return intended(job, epoch)
`,
  reply: replySchema,
});
