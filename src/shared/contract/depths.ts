import { z } from 'zod';

const count = z.number().int();

/** How much waits where, and whether launching is paused: of a whole deployment, the same in every process. */
export const depthsSchema = z.object({
  /** Jobs by status. */
  jobs: z.record(z.string(), count),
  launch_paused: z.boolean(),
  /** Which launches are held back, and the code that began it, by scope: `account`, `model:NAME` or `tenant:NAME|model:NAME`. */
  holds: z.record(z.string(), z.string()),
  /** `full`: new jobs are refused, and cancels, ids and usages are still written. */
  store: z.enum(['ok', 'full']).default('ok'),
  /** Launches that wait in the queue or for the end of a hold. */
  launch_waiting: count,
  /** Polls whose time has come and that no worker has taken, and how late the oldest of them is. */
  due_polls: count,
  oldest_due_poll_seconds: z.number(),
  /** Responses that nobody wants and that are still followed. */
  unsettled_responses: count,
  open_streams: count,
});
/** What keeps this deployment from its usual work although it answers, in sentences; nothing where all is well. */
export function obstaclesIn(depths: Depths): string[] {
  return [
    ...(depths.store === 'full' ? ['The store is full: new jobs are refused, and cancels still work.'] : []),
    ...(depths.launch_paused ? ['Launching is paused.'] : []),
    ...(Object.keys(depths.holds).length > 0 ? ['Some launches are held back.'] : []),
  ];
}

export type Depths = z.infer<typeof depthsSchema>;
