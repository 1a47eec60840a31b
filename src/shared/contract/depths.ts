import { z } from 'zod';

const count = z.number().int();

/** How much waits where in a deployment, and whether launching is paused. Every process reports the same. */
export const depthsSchema = z.object({
  /** Jobs by status. */
  jobs: z.record(z.string(), count),
  launch_paused: z.boolean(),
  /** The holds: the code of the refusal that began each, by its scope (`account`, `model:NAME`, `tenant:NAME|model:NAME`). */
  holds: z.record(z.string(), z.string()),
  /** `full`: new jobs are refused, but cancels, ids and usages are still written. */
  store: z.enum(['ok', 'full']).default('ok'),
  /** Jobs that wait in the launch queue or for the end of a hold. */
  launch_waiting: count,
  /** Polls that are due and that no worker has taken, and how late the oldest of them is. */
  due_polls: count,
  oldest_due_poll_seconds: z.number(),
  /** Responses of jobs that have ended, whose tokens are not known yet. Most are unwanted. */
  unsettled_responses: count,
  open_streams: count,
  /** How many lanes the deployment has, which of them do not answer, and which have no worker. What is away is in no number above. */
  lanes: count.default(1),
  lanes_away: z.array(count).default([]),
  lanes_unserved: z.array(count).default([]),
});
export type Depths = z.infer<typeof depthsSchema>;

/** What keeps a deployment that answers from its usual work, in sentences. */
export function obstaclesIn(depths: Depths): string[] {
  return [
    ...(depths.store === 'full' ? ['The store is full. New jobs are refused, but cancels still work.'] : []),
    ...depths.lanes_away.map(lane => `Lane ${lane} cannot be reached, so its jobs wait.`),
    ...(depths.lanes > 1 ? depths.lanes_unserved.map(lane => `No worker serves lane ${lane}.`) : []),
    ...(depths.launch_paused ? ['Launching is paused.'] : []),
    ...(Object.keys(depths.holds).length > 0 ? ['Some launches are held back.'] : []),
  ];
}
