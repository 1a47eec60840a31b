import { z } from 'zod';

/** One event of a streamed response, as OpenAI has it. Types that we do not know pass as they are. */
export const streamEventSchema = z.looseObject({
  type: z.string(),
  // An odd field counts as absent: it must not cost us the event around it.
  sequence_number: z.number().int().optional().catch(undefined),
  response: z.looseObject({}).optional().catch(undefined),
});
export type UpstreamEvent = z.infer<typeof streamEventSchema>;

/** What a reader gets: with a number, in order, under the job's own id. */
export interface StreamEvent {
  type: string;
  sequence_number: number;
  [field: string]: unknown;
}

/** After one of these nothing more comes; in a stream of ours as in the provider's. */
export const closingEventTypes: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
  'error',
]);

export const subscribeOptionsSchema = z.strictObject({
  /** The last sequence number that the reader has. */
  after: z.number().int().nonnegative().optional(),
  signal: z.custom<AbortSignal>(value => value instanceof AbortSignal).optional(),
});
export type SubscribeOptions = z.infer<typeof subscribeOptionsSchema>;
