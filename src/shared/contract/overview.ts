import { z } from 'zod';
import { depthsSchema } from './depths.ts';
import { heldLaunchesSchema } from './holds.ts';

/** A deployment at a glance. */
export const overviewSchema = z.object({
  depths: depthsSchema,
  holds: z.array(heldLaunchesSchema),
  /** Jobs that ended in the last hour, by outcome. `more`: there were more than are counted. */
  ended: z.record(z.string(), z.number().int()),
  more: z.boolean(),
  /** When the job was enqueued that has waited longest for its launch; null if none waits. */
  oldest_queued_at: z.number().int().nullable(),
  /** How many workers are alive. */
  workers: z.number().int(),
  /** How many of them are of which version. */
  versions: z.record(z.string(), z.number().int()),
});
export type Overview = z.infer<typeof overviewSchema>;
