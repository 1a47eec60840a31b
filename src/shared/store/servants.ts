import type { Lane } from './lane.ts';
import { type QueueName, queueNames } from './lua/work.ts';

/** A worker that has been silent for this long serves its lanes no longer. */
export const SILENCE_MS = 5000;
const KEPT_MS = 600_000;

/** A worker that serves a lane. A guest does so only until a worker comes back whose lane it is. */
export interface Servant {
  token: string;
  isGuest: boolean;
  queues: readonly QueueName[];
}

/** Says that a worker serves the lane now. */
export async function sayServed(lane: Lane, servant: Servant): Promise<void> {
  const place = lane.keys.servants();
  const now = lane.now();
  await lane.ask(async client => {
    const saying = client.pipeline().zadd(place, now, memberOf(servant));
    const answers = await saying
      .zremrangebyscore(place, '-inf', now - KEPT_MS)
      .pexpire(place, KEPT_MS)
      .exec();
    for (const [error] of answers ?? []) if (error) throw error;
  });
}

/** The worker leaves the lane in an orderly way, so that others need not wait for its silence. */
export async function sayLeft(lane: Lane, servant: Servant): Promise<void> {
  await lane.ask(client => client.zrem(lane.keys.servants(), memberOf(servant)));
}

/** The workers that serve the lane now. */
export async function servantsOf(lane: Lane): Promise<Servant[]> {
  const members = await lane.ask(client => client.zrangebyscore(lane.keys.servants(), lane.now() - SILENCE_MS, '+inf'));
  return members.map(member => {
    const [token = '', role, queues = ''] = member.split('|');
    return { token, isGuest: role === 'guest', queues: queues.split(',') as QueueName[] };
  });
}

/** True if some worker takes from each of the queues. */
export function isServed(servants: Servant[], queues: readonly QueueName[] = queueNames): boolean {
  return queues.every(queue => servants.some(servant => servant.queues.includes(queue)));
}

function memberOf({ token, isGuest, queues }: Servant): string {
  return `${token}|${isGuest ? 'guest' : 'own'}|${queues.join(',')}`;
}
