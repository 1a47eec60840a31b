import { z } from 'zod';
import { finishPart } from './finish-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Retention, Seen } from './shapes.ts';
import { tiePart } from './tie-part.ts';
import { workSchema } from './work.ts';

export interface IdentifyArguments {
  /** Of the adopted job. */
  id: string;
  response_id: string;
  /** The intent that the response's own metadata names, where that is one of this deployment. */
  launch?: { id: string; epoch: number };
  seen: Seen;
  first_poll_ms: number;
  retention: Retention;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({ reply: z.literal('own'), model: z.string() }),
  z.object({ reply: z.literal('foreign'), model: z.string(), work: workSchema }),
  z.object({ reply: z.literal('stale') }),
]);

/**
 * What the first look at an adopted response says of it: its model, and whose it is. `foreign`: a launch of our own made
 * it, whose id never reached us, so it goes back to that job, and the one that adopted it has failed (I1, I3).
 */
export const identify = defineScript<IdentifyArguments>()({
  name: 'identify',
  flags: 'allow-oom',
  parts: [ledgerPart, finishPart, tiePart],
  body: /* lua */ `
local place = key('job', args.id)
local job = load(place)
if job.status ~= 'running' or job.response_id ~= args.response_id then return reply('stale') end
local launch = args.launch
if launch and launch.id ~= args.id then
  local field = 'launch:' .. string.format('%.0f', launch.epoch)
  local intent = redis.call('HGET', key('job', launch.id), field)
  -- A launch that has its response is not meant: somebody copied the metadata.
  local response_id = intent and cjson.decode(intent).response_id
  if intent and (not response_id or response_id == args.response_id) then
    tie({
      id = launch.id, epoch = launch.epoch, response_id = args.response_id,
      seen = args.seen, first_poll_ms = args.first_poll_ms,
    })
    return reply('foreign', {model = job.model})
  end
end
redis.call('HSET', place, 'identified', 1)
local before = load(key('row', args.response_id))
if before.response_id then
  local after = copy(before)
  observe(after, args.seen)
  save_row(before, after)
end
if job.model == 'unknown' and args.seen.served_model then
  job.model = args.seen.served_model
  redis.call('HSET', place, 'model', job.model)
end
return reply('own', {model = job.model})
`,
  reply: replySchema,
});
