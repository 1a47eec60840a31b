import { z } from 'zod';
import { causeSchema, outcomeStatusSchema, type ResultStatus } from '../../contract/words.ts';
import { entryPart } from './entry-part.ts';
import { finishPart } from './finish-part.ts';
import { holdPart } from './hold-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { CostBound, Observation } from './shapes.ts';
import { tiePart } from './tie-part.ts';
import { workSchema } from './work.ts';

export interface AcknowledgeArguments {
  id: string;
  epoch: number;
  response_id: string;
  first_poll_ms: number;
  /** Left out if nothing bounds what the response can cost. */
  bound?: CostBound;
  observation: Observation;
  /** Given if the answer to the create was the whole result. The call's body is the response's then. */
  outcome?: { status: ResultStatus; has_result: true; item_ids: string[]; observation: Observation } | undefined;
  /** The worker's lock on the launch's entry. The entry ends in the step that gives the job its response. */
  launch_lock?: string | undefined;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({ reply: z.literal('running'), entry_ended: z.boolean().optional(), work: workSchema }),
  z.object({
    reply: z.literal('ended'),
    status: outcomeStatusSchema,
    entry_ended: z.boolean().optional(),
    work: workSchema,
  }),
  z.object({ reply: z.literal('unwanted'), cause: causeSchema, work: workSchema }),
]);

/**
 * Ties a response's id to the intent that made it and opens its ledger row. The script never refuses an id, whichever worker
 * brings it and however late, because nobody books what a lost id costs (I3, I7). Calling it again is harmless.
 *
 * `ended`: a gateway ignored `background` and answered with the result, which a later GET may not find.
 * `unwanted`: the job has an outcome or a newer launch, so the caller must cancel this response at once.
 */
export const acknowledge = defineScript<AcknowledgeArguments>()({
  name: 'acknowledge',
  flags: 'allow-oom',
  parts: [entryPart, ledgerPart, finishPart, holdPart, tiePart],
  body: /* lua */ `
return tie(args)
`,
  reply: replySchema,
});
