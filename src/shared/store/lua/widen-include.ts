import { z } from 'zod';
import { defineScript } from './script.ts';

export interface WidenIncludeArguments {
  id: string;
  include: string[];
}

const replySchema = z.object({ reply: z.enum(['widened', 'final']) });

/** Adds fields that a reader wants included to those that the create asked for, so that later polls ask for them too. */
export const widenInclude = defineScript<WidenIncludeArguments>()({
  name: 'widen_include',
  body: /* lua */ `
local most_names = 50
local place = key('job', args.id)
local fields = redis.call('HMGET', place, 'status', 'include')
if not open[fields[1]] then return reply('final') end
local names = cjson.decode(fields[2] or '[]')
-- A field that only a reader wants must not cost the create's own, so it is known how many those are.
if #args.include > 0 then redis.call('HSETNX', place, 'own_includes', #names) end
local known = {}
for _, name in ipairs(names) do known[name] = true end
for _, name in ipairs(args.include) do
  if not known[name] and #names < most_names then names[#names + 1] = name end
end
if #names > 0 then redis.call('HSET', place, 'include', cjson.encode(names)) end
return reply('widened')
`,
  reply: replySchema,
});
