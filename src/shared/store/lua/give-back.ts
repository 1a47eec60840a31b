import { z } from 'zod';
import { entryPart } from './entry-part.ts';
import { finishPart } from './finish-part.ts';
import { holdPart } from './hold-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import { tiePart } from './tie-part.ts';
import { workSchema } from './work.ts';

export interface GiveBackArguments {
  /** The job that adopted the response. */
  id: string;
  response_id: string;
  /** The job that launched it, in words. */
  owner: string;
}

/**
 * Lets go of an adopted response that a launch in another lane made: its row leaves this lane's ledger, and the job fails if it
 * is open. `kept`: the job did not adopt this response.
 */
export const giveBack = defineScript<GiveBackArguments>()({
  name: 'give_back',
  flags: 'allow-oom',
  parts: [entryPart, ledgerPart, finishPart, holdPart, tiePart],
  body: /* lua */ `
local job = load_job(args.id)
local row = load(key('row', args.response_id))
if not job.adopted or row.job_id ~= args.id then return reply('kept') end
local was_open = open[job.status]
end_adopter(args.id, job, args.response_id, args.owner)
remove_row(row)
return reply(was_open and 'failed' or 'given')
`,
  reply: z.object({ reply: z.enum(['failed', 'given', 'kept']), work: workSchema }),
});
