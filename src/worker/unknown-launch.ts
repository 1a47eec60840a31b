import type { LaunchAnswer } from '../provider/answers.ts';
import type { Context } from './context.ts';
import { insist } from './insist.ts';
import { isOnlyTenant } from './only-tenant.ts';
import { reportHold } from './report-hold.ts';

type Unknown = Extract<LaunchAnswer, { kind: 'unknown' }>;

/** Marks a launch whose fate is not known. `witnessed`: the worker that sent the create says so (I4). */
export async function resolveUnknown(
  id: string,
  epoch: number,
  { code, httpStatus, message, witnessed }: Omit<Unknown, 'kind'> & { witnessed: boolean },
  context: Context,
): Promise<void> {
  const { store, pace, telemetry } = context;
  const grace_ms = pace.unknownGraceMs;
  const came = httpStatus ? ('answer' as const) : undefined;
  const is_only_tenant = witnessed ? await isOnlyTenant(id, context) : undefined;
  const given = { id, epoch, how: 'unknown' as const, code, grace_ms, witnessed, came, message, is_only_tenant };
  const reply = await insist(() => store.run('resolve', given), context);
  // Its answer may have come meanwhile, and another one may have said this before.
  if (reply.is_news) telemetry.emit('launch_unknown', { job_id: id, epoch, code, grace_ms });
  // What holds the launches is how many creates in a row were lost, whatever became of this one.
  reportHold(reply, { code: 'launches_unknown', kind: 'alarm' }, telemetry);
  await store.outbox.carryOutQuietly(reply.work);
}
