import { newJobId } from '../../shared/store/lanes/plan.ts';
import type { Store } from '../../shared/store/store.ts';
import { RESEND_WINDOW_MS } from './answered.ts';

/**
 * The id of the job that a create re-sends, or else a new one. So a lost answer is not paid for twice (I6). `digest` tells the
 * create from others, and `count` says how often the client has sent it before. With `takesOver`, an equal create whose caller
 * has just gone counts as the same.
 */
export async function idOfSend(
  store: Store,
  { digest, count, takesOver = false }: { digest: string; count: number; takesOver?: boolean },
): Promise<string> {
  const plan = await store.currentPlan();
  // Earlier sends may have come before the number of lanes was raised.
  const plans = count === 0 ? [plan] : [...plan.earlier(), plan];
  for (const one of plans) {
    // The job is made in the lane that remembers its sends, so that one step sees both.
    const new_id = newJobId(plan, one.laneOf(digest));
    const lane = await store.laneOf(new_id);
    const { reply, id } = await lane.run('resend', {
      digest,
      count,
      new_id,
      window_ms: RESEND_WINDOW_MS,
      takes_over: takesOver,
      only_looks: one !== plan,
    });
    if (reply === 'again' || one === plan) return id;
  }
  throw new Error('The present plan always gives an id.');
}
