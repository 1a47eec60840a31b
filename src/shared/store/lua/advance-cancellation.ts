import { z } from 'zod';
import { finishPart } from './finish-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { matchingPart } from './matching-part.ts';
import { defineScript } from './script.ts';
import type { Retention } from './shapes.ts';
import { workSchema } from './work.ts';

export interface AdvanceCancellationArguments {
  id: string;
  /** How many jobs to look at: what Redis does in one step, it does while everybody else waits. */
  most: number;
  retention: Retention;
}

const replySchema = z.object({
  reply: z.enum(['more', 'done', 'stopped', 'missing']),
  /** Cancelled in this step, as [id, model]. */
  decided: z.array(z.tuple([z.string(), z.string()])).default([]),
  work: workSchema,
});

/**
 * Cancels the next chunk of a cancellation: each job by the same decision as a cancel of its own (I1, I2), and the
 * progress in the same step. So any number of processes may work at it: no job is counted twice, none is left out.
 */
export const advanceCancellation = defineScript<AdvanceCancellationArguments>()({
  name: 'advance_cancellation',
  flags: 'allow-oom',
  parts: [ledgerPart, finishPart, matchingPart],
  body: /* lua */ `
local place = key('cancellation', args.id)
local task = load(place)
if not task.status then
  redis.call('ZREM', key('cancellations'), args.id)
  return reply('missing')
end
if task.status ~= 'running' then return reply(task.status) end
local filter = cjson.decode(task.filter)
local below = tonumber(task.below)
local outcome = {
  status = 'cancelled', cause = 'cancelled', reason = task.reason, actor = task.actor, key_name = task.key_name,
}
local found = next_jobs(filter, below, args.most)
local decided = {}
local examined = 0
for _, entry in ipairs(found) do
  below = entry[2]
  local job = load(key('job', entry[1]))
  -- A tag is everybody's word: how many others use it is nobody's business (I12).
  if not filter.tenant or job.tenant == filter.tenant then examined = examined + 1 end
  if matches(job, filter) then
    finish(entry[1], job, outcome)
    decided[#decided + 1] = {entry[1], job.model}
  end
end
redis.call('HSET', place, 'below', string.format('%.0f', below), 'advanced_at', now)
redis.call('HINCRBY', place, 'examined', examined)
redis.call('HINCRBY', place, 'cancelled', #decided)
redis.call('ZADD', key('cancellations'), now, args.id)
local over = #found < args.most
if over then
  redis.call('HSET', place, 'status', 'done')
  redis.call('ZREM', key('cancellations'), args.id)
end
return reply(over and 'done' or 'more', {decided = #decided > 0 and decided or nil})
`,
  reply: replySchema,
});
