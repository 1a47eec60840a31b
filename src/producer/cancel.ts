import type { CancelOptions } from '../shared/contract/request.ts';
import type { Verdict } from '../shared/contract/words.ts';
import type { Telemetry } from '../shared/runtime/telemetry.ts';
import type { Lane } from '../shared/store/lane.ts';
import { locate } from '../shared/store/locate.ts';
import type { Store } from '../shared/store/store.ts';

/** Cancels a job, by whichever id it is known, and waits until enough replicas hold that (I1, I2). */
export async function cancelJob(
  store: Store,
  telemetry: Telemetry,
  id: string,
  options: CancelOptions,
): Promise<Verdict> {
  const lane = await store.laneOf(id);
  const verdict = await cancelIn(lane, telemetry, id, options);
  if (verdict === 'not_found') {
    const known = (await locate(store, id, { tenant: null, seesAll: true }))?.id ?? id;
    // It is known by another id, or in a lane of which this process had not heard.
    if (known !== id || (await store.laneOf(id)) !== lane) return await cancelJob(store, telemetry, known, options);
  }
  telemetry.emit('job_cancel_asked', { job_id: id, verdict });
  return verdict;
}

/** Cancels a job of a lane. With `onlyUnattended`, it stays as it is while a caller waits for it: the verdict is `attended`. */
export async function cancelIn<Guard extends boolean = false>(
  lane: Lane,
  telemetry: Telemetry,
  id: string,
  { reason, actor, keyName }: CancelOptions,
  onlyUnattended?: Guard,
): Promise<Verdict | (Guard extends true ? 'attended' : never)> {
  const reply = await lane.run('decide', {
    id,
    status: 'cancelled',
    cause: 'cancelled',
    reason,
    actor,
    key_name: keyName,
    only_unattended: onlyUnattended,
  });
  switch (reply.reply) {
    case 'already':
      await lane.untilDurable({ id, status: reply.status });
      return `already_${reply.status}`;
    case 'decided':
      // A reader in this process must not show another event once this call has returned (I1).
      lane.decisions.tell({ id, status: 'cancelled', response_id: reply.response_id });
      await lane.untilDurable({ id, status: 'cancelled' });
      telemetry.emit('job_decided', { job_id: id, model: reply.model, outcome: 'cancelled' });
      await lane.outbox.carryOutQuietly(reply.work);
      return 'cancelled';
    case 'attended':
      return 'attended' as Guard extends true ? 'attended' : never;
    default:
      return 'not_found';
  }
}
