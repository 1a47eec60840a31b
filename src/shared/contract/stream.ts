import { z } from 'zod';

/** One event of a streamed response. Events of unknown types pass unchanged. */
export const streamEventSchema = z.looseObject({
  type: z.string(),
  // An odd field counts as absent, because it must not hide the event around it.
  sequence_number: z.number().int().optional().catch(undefined),
  response: z.looseObject({}).optional().catch(undefined),
});
export type UpstreamEvent = z.infer<typeof streamEventSchema>;

/** An event for readers: it has a number and the job's own id. */
export interface StreamEvent {
  type: string;
  sequence_number: number;
  [field: string]: unknown;
}

/** The types of the last event of a stream, from the provider or from Headstone. */
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
