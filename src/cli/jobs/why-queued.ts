import type { Depths } from '../../shared/contract/depths.ts';
import { heldLaunches, holdAdvice } from '../../shared/contract/holds.ts';
import type { Job } from '../../shared/contract/job.ts';
import { type ClientFlags, commandLine } from '../client/with-client.ts';

/** For what a queued job waits, and what to do, as the end of a sentence. `depths` is null for those who may not read them. */
export function whyQueued({ held_by: scope }: Pick<Job, 'held_by'>, depths: Depths | null, flags: ClientFlags): string {
  if (depths?.launch_paused) return `launching is paused. To resume: ${commandLine('resume launch', flags)}`;
  if (scope === null) {
    if (depths === null) return 'other jobs are ahead of it, or no worker is running.';
    if (depths.lanes_unserved.length === depths.lanes) return 'no worker is running. To start one: headstone worker';
    return `other jobs are ahead of it. To see how many: ${commandLine('status', flags)}`;
  }
  const code = depths?.holds[scope];
  return `${heldLaunches(scope)} are held${code === undefined ? '.' : ` (${code}). ${holdAdvice(code)}`}`;
}
