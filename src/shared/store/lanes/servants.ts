import type { Lane } from '../lane.ts';
import { type QueueName, queueNames } from '../lua/work.ts';

/** A worker that has been silent for this long serves its lanes no longer. */
export const SILENCE_MS = 5000;
const KEPT_MS = 600_000;

/** A worker that serves a lane. A guest does so only until a worker comes back whose lane it is. */
export interface Servant {
  token: string;
  isGuest: boolean;
  queues: readonly QueueName[];
  /** Empty for the version before, which did not say it. */
  version: string;
}

/** A full store takes this too. KEYS: the servants. ARGV: now, the servant, the time before which others are forgotten, for how long. */
const saying = `#!lua flags=allow-oom
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
return redis.call('PEXPIRE', KEYS[1], ARGV[4])`;

/** Says that a worker serves the lane now. */
export async function sayServed(lane: Lane, servant: Servant): Promise<void> {
  const now = lane.now();
  await lane.ask(client =>
    client.eval(saying, 1, lane.keys.servants(), now, memberOf(servant), now - KEPT_MS, KEPT_MS),
  );
}

/** The worker leaves the lane in an orderly way, so that others need not wait for its silence. */
export async function sayLeft(lane: Lane, servant: Servant): Promise<void> {
  await lane.ask(client => client.zrem(lane.keys.servants(), memberOf(servant)));
}

/** The workers that serve the lane now. */
export async function servantsOf(lane: Lane): Promise<Servant[]> {
  const members = await lane.ask(client => client.zrangebyscore(lane.keys.servants(), lane.now() - SILENCE_MS, '+inf'));
  return members.map(member => {
    const [token = '', role, queues = '', version = ''] = member.split('|');
    return { token, isGuest: role === 'guest', queues: queues.split(',') as QueueName[], version };
  });
}

/** True if a worker served the lane and fell silent without leaving it, so that it has died or is cut off. */
export async function isDeserted(lane: Lane): Promise<boolean> {
  const [, last] = await lane.ask(client => client.zrange(lane.keys.servants(), '-1', '-1', 'WITHSCORES'));
  return last !== undefined && lane.now() - Number(last) > SILENCE_MS;
}

/** True if some worker takes from each of the queues. */
export function isServed(servants: Servant[], queues: readonly QueueName[] = queueNames): boolean {
  return queues.every(queue => servants.some(servant => servant.queues.includes(queue)));
}

function memberOf({ token, isGuest, queues, version }: Servant): string {
  return [token, isGuest ? 'guest' : 'own', queues.join(','), version].join('|');
}
