import { z } from 'zod';
import { entryPart } from './entry-part.ts';
import { finishPart } from './finish-part.ts';
import { holdPart } from './hold-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Observation } from './shapes.ts';
import { tiePart } from './tie-part.ts';
import { workSchema } from './work.ts';

export interface IdentifyArguments {
  /** The adopted job. */
  id: string;
  response_id: string;
  /** The intent that the response's metadata names, if it belongs to this deployment. */
  launch?: { id: string; epoch: number } | undefined;
  observation: Observation;
  first_poll_ms: number;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({ reply: z.literal('own'), model: z.string() }),
  z.object({ reply: z.literal('foreign'), model: z.string(), work: workSchema }),
  z.object({ reply: z.literal('stale') }),
]);

/**
 * Writes what the first observation of an adopted response shows: its model, and whose it is. `foreign`: a launch of this
 * deployment made it and its id was lost. The response goes back to that job, and the job that adopted it fails (I1, I3).
 */
export const identify = defineScript<IdentifyArguments>()({
  name: 'identify',
  flags: 'allow-oom',
  parts: [entryPart, ledgerPart, finishPart, holdPart, tiePart],
  body: /* lua */ `
local place = key('job', args.id)
local job = load_job(args.id)
if job.status ~= 'running' or job.response_id ~= args.response_id then return reply('stale') end
local launch = args.launch
if launch and launch.id ~= args.id then
  local intent = launch_of(load_job(launch.id), launch.epoch)
  -- If that launch already has another response, somebody copied the metadata.
  local response_id = intent and intent.response_id
  if intent and (not response_id or response_id == args.response_id) then
    tie({
      id = launch.id, epoch = launch.epoch, response_id = args.response_id,
      observation = args.observation, first_poll_ms = args.first_poll_ms,
    })
    return reply('foreign', {model = job.model})
  end
end
redis.call('HSET', place, 'identified', 1)
change_row(load(key('row', args.response_id)), function(row) observe(row, args.observation) end)
name_model(args.id, job, args.observation)
return reply('own', {model = job.model})
`,
  reply: replySchema,
});
