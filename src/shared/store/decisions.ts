import { z } from 'zod';
import { outcomeStatusSchema } from '../contract/words.ts';

const decidedMessageSchema = z.object({
  id: z.string(),
  status: outcomeStatusSchema,
  response_id: z.string().optional(),
});
export type DecidedMessage = z.infer<typeof decidedMessageSchema>;

/** Parses an outcome that `decide` has published. */
export function parseDecided(text: string): DecidedMessage | undefined {
  try {
    return decidedMessageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
