import { z } from 'zod';
import { entryPart } from './entry-part.ts';
import { finishPart } from './finish-part.ts';
import { holdPart } from './hold-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Observation } from './shapes.ts';
import { tiePart } from './tie-part.ts';
import { workSchema } from './work.ts';

export interface ClaimArguments {
  /** The launch that the response's metadata names. */
  id: string;
  epoch: number;
  response_id: string;
  observation: Observation;
  first_poll_ms: number;
}

/**
 * Ties a response that was adopted in another lane to the launch that made it. `copied`: there is no such launch, or it has
 * another response already, so somebody copied the metadata.
 */
export const claim = defineScript<ClaimArguments>()({
  name: 'claim',
  flags: 'allow-oom',
  parts: [entryPart, ledgerPart, finishPart, holdPart, tiePart],
  body: /* lua */ `
local intent = launch_of(load_job(args.id), args.epoch)
if not intent or intent.response_id and intent.response_id ~= args.response_id then return reply('copied') end
tie(args)
return reply('claimed')
`,
  reply: z.object({ reply: z.enum(['claimed', 'copied']), work: workSchema }),
});
