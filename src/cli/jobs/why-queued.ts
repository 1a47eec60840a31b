import type { Depths } from '../../shared/contract/depths.ts';
import { heldLaunches, holdAdvice } from '../../shared/contract/holds.ts';
import type { Job } from '../../shared/contract/job.ts';
import { type ClientFlags, commandLine } from '../client/with-client.ts';

interface Why {
  /** The end of a sentence. */
  because: string;
  /** What to do about it, on a line of its own, so that a command can be copied. */
  next?: string;
}

/** For what a queued job waits. `depths` is null for those who may not read them. */
export function whyQueued(
  { held_by: scope, launches }: Pick<Job, 'held_by' | 'launches'>,
  depths: Depths | null,
  flags: ClientFlags,
): Why {
  if (depths?.launch_paused)
    return { because: 'launching is paused.', next: `To resume: ${commandLine('resume launch', flags)}` };
  if (scope !== null) {
    const code = depths?.holds[scope];
    return {
      because: `${heldLaunches(scope)} are held${code === undefined ? '.' : ` (${code}). ${holdAdvice(code)}`}`,
    };
  }
  const last = launches.at(-1);
  if (last?.state === 'refused')
    return {
      because: `the provider refused its launch (${last.code ?? 'without a code'}). It is tried again by itself.`,
    };
  if (depths === null) return { because: 'other jobs are ahead of it, or no worker is running.' };
  const { lanes, lanes_away: away, lanes_unserved: unserved } = depths;
  if (unserved.length > 0 && unserved.length === lanes - away.length)
    return { because: 'no worker is running.', next: 'To start one: headstone worker' };
  return {
    because: 'other jobs are ahead of it, or as many are running as may.',
    next: `To see how many: ${commandLine('status', flags)}`,
  };
}
