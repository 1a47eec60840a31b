import { z } from 'zod';

const HOUR_MS = 3_600_000;

/**
 * Options of a cheaper background response. `completion_window` is the time in which the provider promises to run it:
 * `soonest`, `2h` or `8h` (openai 7.58). Other numbers of hours are passed on and understood.
 */
export const backgroundOptionsSchema = z.looseObject({
  completion_window: z
    .string()
    .regex(/^(soonest|\d{1,3}h)$/, 'must be soonest, 2h or 8h')
    .optional(),
  continuation_id: z.string().max(512).optional(),
});

/** How long a response may wait at the provider before it runs, in milliseconds; 0 if it runs as soon as it can. */
export function windowMsOf(completionWindow: string | undefined): number {
  const hours = /^(\d+)h$/.exec(completionWindow ?? '')?.[1];
  return hours === undefined ? 0 : Number(hours) * HOUR_MS;
}
