import { z } from 'zod';

const HOUR_MS = 3_600_000;

/**
 * By when the provider promises to have run a cheaper background response: `soonest`, `2h` or `8h` (openai 7.58). Other
 * numbers of hours are passed on, and understood.
 */
export const backgroundOptionsSchema = z.looseObject({
  completion_window: z
    .string()
    .regex(/^(soonest|\d{1,3}h)$/, 'must be soonest, 2h or 8h')
    .optional(),
  continuation_id: z.string().max(512).optional(),
});

/** How long a response may wait at the provider before it runs; 0 where it runs as soon as it can. */
export function windowMsOf(completionWindow: string | undefined): number {
  const hours = /^(\d+)h$/.exec(completionWindow ?? '')?.[1];
  return hours === undefined ? 0 : Number(hours) * HOUR_MS;
}
