import { z } from 'zod';
import { entryPart } from './entry-part.ts';
import { finishPart } from './finish-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { matchingPart, type StoredFilter } from './matching-part.ts';
import { defineScript } from './script.ts';
import { workSchema } from './work.ts';

export interface SurveyArguments {
  filter: StoredFilter;
  /** The sequence where the chunk before ended. Left out for the first chunk. */
  below?: number;
  /** How many jobs to read. */
  limit: number;
}

/** Counts the jobs that a cancellation would match, one chunk at a time. Writes nothing. */
export const survey = defineScript<SurveyArguments>()({
  name: 'survey',
  isLong: true,
  flags: 'no-writes',
  parts: [matchingPart],
  body: /* lua */ `
local below = args.below or 2 ^ 53
local found = next_jobs(args.filter, below, args.limit)
local counts = {}
for _, entry in ipairs(found) do
  below = entry[2]
  local values = redis.call('HMGET', key('job', entry[1]), 'status', 'tenant', 'model', 'tags', 'created_at')
  local job = {status = values[1], tenant = values[2], model = values[3], tags = values[4] or usual.tags, created_at = values[5]}
  if matches(job, args.filter) then
    counts[job.model] = counts[job.model] or {}
    counts[job.model][job.status] = (counts[job.model][job.status] or 0) + 1
  end
end
local groups = {}
for model, statuses in pairs(counts) do
  for status, count in pairs(statuses) do groups[#groups + 1] = {model, status, count} end
end
return reply(#found < args.limit and 'done' or 'more', {below = int(below), groups = #groups > 0 and groups or nil})
`,
  reply: z.object({
    reply: z.enum(['more', 'done']),
    below: z.coerce.number(),
    /** The matching jobs of this chunk, as [model, status, count]. */
    groups: z.array(z.tuple([z.string(), z.string(), z.number()])).default([]),
  }),
});

export interface BeginCancellationArguments {
  id: string;
  filter: StoredFilter;
  /** The filter that the caller gave, as JSON. */
  shown_filter: string;
  reason?: string;
  actor?: string;
  key_name?: string;
  expected: number;
  /** How many lanes the cancellation covers. */
  lanes: number;
  keep_ms: number;
}

/**
 * Writes down which jobs to cancel. Any process can carry the cancellation on from this record. It covers only jobs that
 * exist now. `same`: the id is on record with the same filter. `conflict`: with another filter.
 */
export const beginCancellation = defineScript<BeginCancellationArguments>()({
  name: 'begin_cancellation',
  flags: 'allow-oom',
  body: /* lua */ `
local place = key('cancellation', args.id)
local known = redis.call('HMGET', place, 'shown_filter', 'lanes')
-- The version before knew of one lane.
local lanes = tonumber(known[2] or 1)
if known[1] then return reply(known[1] == args.shown_filter and 'same' or 'conflict', {lanes = lanes}) end
local below = args.filter.ids and #args.filter.ids + 1 or tonumber(redis.call('GET', key('sequence')) or 0) + 1
write(place, {
  id = args.id, status = 'running', filter = cjson.encode(args.filter), shown_filter = args.shown_filter,
  below = int(below), expected = args.expected, examined = 0, cancelled = 0, created_at = now, advanced_at = now,
  reason = args.reason, actor = args.actor, key_name = args.key_name, lanes = args.lanes,
  counts_spared = 1,
})
redis.call('PEXPIRE', place, args.keep_ms)
redis.call('ZADD', key('cancellations'), now, args.id)
redis.call('ZADD', key('all_cancellations'), now, args.id)
redis.call('ZREMRANGEBYSCORE', key('all_cancellations'), '-inf', now - args.keep_ms)
return reply('begun', {lanes = args.lanes})
`,
  /** `lanes`: how many the cancellation covers. */
  reply: z.object({ reply: z.enum(['begun', 'same', 'conflict']), lanes: z.number() }),
});

export interface AdvanceCancellationArguments {
  id: string;
  /** How many jobs to read. Other clients wait for Redis meanwhile, so this is small. */
  limit: number;
  /** How long the list of the jobs that it cancelled is kept. */
  keep_ms: number;
}

/**
 * Cancels the next chunk of a cancellation. Each job is decided as by a cancel of that job alone (I1, I2), and the progress
 * is written in the same step. So several processes may work on one cancellation: no job is counted twice or left out.
 */
export const advanceCancellation = defineScript<AdvanceCancellationArguments>()({
  name: 'advance_cancellation',
  isLong: true,
  flags: 'allow-oom',
  parts: [entryPart, ledgerPart, finishPart, matchingPart],
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
  cancellation = args.id,
}
local found = next_jobs(filter, below, args.limit)
local decided, listed, spared = {}, {}, {}
local examined = 0
for _, entry in ipairs(found) do
  below = entry[2]
  local job = load_job(entry[1])
  -- All tenants may use one tag, and none of them may learn how many jobs of the others carry it (I12).
  if not filter.tenant or job.tenant == filter.tenant then examined = examined + 1 end
  if matches(job, filter) then
    -- The launch for which a job waited is what the cancellation has saved.
    if job.status == 'queued' then spared[job.model] = (spared[job.model] or 0) + 1 end
    finish(entry[1], job, outcome)
    decided[#decided + 1] = {entry[1], job.model}
    listed[#listed + 1] = job.sequence
    listed[#listed + 1] = entry[1]
  end
end
redis.call('HSET', place, 'below', int(below), 'advanced_at', now)
redis.call('HINCRBY', place, 'examined', examined)
redis.call('HINCRBY', place, 'cancelled', #decided)
for model, jobs in pairs(spared) do redis.call('HINCRBY', place, 'spared:' .. model, jobs) end
if #listed > 0 then
  redis.call('ZADD', key('cancelled', args.id), unpack(listed))
  redis.call('PEXPIRE', key('cancelled', args.id), args.keep_ms)
end
redis.call('ZADD', key('cancellations'), now, args.id)
local over = #found < args.limit
if over then
  redis.call('HSET', place, 'status', 'done')
  redis.call('ZREM', key('cancellations'), args.id)
end
return reply(over and 'done' or 'more', {decided = #decided > 0 and decided or nil})
`,
  reply: z.object({
    reply: z.enum(['more', 'done', 'stopped', 'missing']),
    /** The jobs that this step cancelled, as [id, model]. */
    decided: z.array(z.tuple([z.string(), z.string()])).default([]),
    work: workSchema,
  }),
});

export interface StopCancellationArguments {
  id: string;
}

/** Stops a cancellation where it is. The jobs that it cancelled stay cancelled (I2). */
export const stopCancellation = defineScript<StopCancellationArguments>()({
  name: 'stop_cancellation',
  flags: 'allow-oom',
  body: /* lua */ `
local place = key('cancellation', args.id)
local status = redis.call('HGET', place, 'status')
if not status then return reply('missing') end
if status == 'running' then
  redis.call('HSET', place, 'status', 'stopped')
  redis.call('ZREM', key('cancellations'), args.id)
  status = 'stopped'
end
return reply(status)
`,
  reply: z.object({ reply: z.enum(['stopped', 'done', 'missing']) }),
});
