import { HeadstoneError } from '../contract/errors.ts';
import type { HeldLaunches } from '../contract/holds.ts';
import type { Lane } from './lane.ts';

/** The holds on launches of all lanes. Each lane has a copy of each, and counts the jobs that wait in it. */
export async function readHolds(lanes: Lane[]): Promise<HeldLaunches[]> {
  const found = (await Promise.all(lanes.map(holdsOf))).flat();
  const now = Math.max(...lanes.map(lane => lane.now()));
  const byScope = Map.groupBy(found, ({ scope }) => scope);
  return [...byScope.values()]
    .map(copies => ({
      ...(copies[0] as HeldLaunches),
      since: Math.min(...copies.map(({ since }) => since)),
      next_try_at: Math.min(...copies.map(({ next_try_at }) => next_try_at)),
      waiting: copies.reduce((sum, { waiting }) => sum + waiting, 0),
    }))
    .filter(hold => isHolding(hold, now))
    .sort((left, right) => left.since - right.since);
}

async function holdsOf(lane: Lane): Promise<HeldLaunches[]> {
  const { keys } = lane;
  const scopes = await lane.ask(client => client.smembers(keys.heldScopes()));
  const holds = await Promise.all(
    scopes.map(async scope => {
      const [[kind, code, since, until], waiting] = await lane.ask(client =>
        Promise.all([
          client.hmget(keys.hold(scope), 'kind', 'code', 'since', 'until'),
          client.zcard(keys.parked(scope)),
        ]),
      );
      return { scope, kind, code, since: Number(since ?? 0), next_try_at: Number(until ?? 0), waiting };
    }),
  );
  return holds.filter(
    (hold): hold is HeldLaunches => (hold.kind === 'alarm' || hold.kind === 'rate') && hold.code !== null,
  );
}

/** A rate limit that has passed is only remembered, and so is an alarm under which nobody waits: the next job tries at once. */
function isHolding({ kind, waiting, next_try_at: nextTryAt }: HeldLaunches, now: number): boolean {
  return nextTryAt > now || (kind === 'alarm' && waiting > 0);
}

/** Tries at once whether a hold is over. Throws `invalid_request` if no lane has it. */
export async function releaseHold(lanes: Lane[], scope: string): Promise<void> {
  const replies = await Promise.all(lanes.map(lane => lane.run('try_held', { scope })));
  if (replies.every(({ reply }) => reply === 'missing'))
    throw new HeadstoneError(
      'invalid_request',
      `There is no hold ${scope.slice(0, 100)}. “headstone holds” lists the current ones.`,
    );
}
