import { z } from 'zod';
import { causeSchema, outcomeStatusSchema, type ResultStatus } from '../../contract/words.ts';
import { finishPart } from './finish-part.ts';
import { ledgerPart } from './ledger-part.ts';
import { defineScript } from './script.ts';
import type { Most, Retention, Seen } from './shapes.ts';
import { tiePart } from './tie-part.ts';
import { workSchema } from './work.ts';

export interface LaunchedArguments {
  id: string;
  epoch: number;
  response_id: string;
  first_poll_ms: number;
  /** The most that this response can cost, where something bounds it. */
  most?: Most;
  seen: Seen;
  /** Where the answer to the create was the whole result: ARGV[2] is its body. */
  outcome?: { status: ResultStatus; has_result: true; item_ids: string[]; seen: Seen };
  retention: Retention;
}

const replySchema = z.discriminatedUnion('reply', [
  z.object({ reply: z.literal('running'), work: workSchema }),
  z.object({ reply: z.literal('ended'), status: outcomeStatusSchema, work: workSchema }),
  z.object({ reply: z.literal('unwanted'), cause: causeSchema, work: workSchema }),
]);
export type LaunchedReply = z.infer<typeof replySchema>;

/**
 * Ties a response's id to its intent and opens its ledger row. Never refused, from whichever worker and however late
 * it comes: a lost id is money that nobody sees (I3, I7). The same call again is harmless.
 * `ended`: a gateway that ignores `background` answered with the result, which may be nowhere to be read again ·
 * `unwanted`: the job has been decided, or another launch took its place: cancel this response at once.
 */
export const launched = defineScript<LaunchedArguments>()({
  name: 'launched',
  flags: 'allow-oom',
  parts: [ledgerPart, finishPart, tiePart],
  body: /* lua */ `
return tie(args)
`,
  reply: replySchema,
});
