import { z } from 'zod';
import { matchingPart, type StoredFilter } from './matching-part.ts';
import { defineScript } from './script.ts';

export interface SurveyArguments {
  filter: StoredFilter;
  /** Of the chunk before; left out at the first. */
  below?: number;
  most: number;
}

const replySchema = z.object({
  reply: z.enum(['more', 'done']),
  below: z.number(),
  /** Matching jobs of this chunk, as [model, status, count]. */
  groups: z.array(z.tuple([z.string(), z.string(), z.number()])).default([]),
});

/** Counts the jobs that a cancellation would mean, a chunk at a time, and changes nothing. */
export const survey = defineScript<SurveyArguments>()({
  name: 'survey',
  flags: 'no-writes',
  parts: [matchingPart],
  body: /* lua */ `
local below = args.below or 2 ^ 52
local found = next_jobs(args.filter, below, args.most)
local counts = {}
for _, entry in ipairs(found) do
  below = entry[2]
  local values = redis.call('HMGET', key('job', entry[1]), 'status', 'tenant', 'model', 'tags', 'created_at')
  local job = {status = values[1], tenant = values[2], model = values[3], tags = values[4], created_at = values[5]}
  if matches(job, args.filter) then
    counts[job.model] = counts[job.model] or {}
    counts[job.model][job.status] = (counts[job.model][job.status] or 0) + 1
  end
end
local groups = {}
for model, statuses in pairs(counts) do
  for status, count in pairs(statuses) do groups[#groups + 1] = {model, status, count} end
end
return reply(#found < args.most and 'done' or 'more', {below = below, groups = #groups > 0 and groups or nil})
`,
  reply: replySchema,
});
