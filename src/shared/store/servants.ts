import type { Lane } from './lane.ts';

/** A worker that has been silent for this long serves its lanes no longer. */
export const SILENCE_MS = 8000;
const KEPT_MS = 600_000;

/** A guest serves a lane only until a worker comes back whose lane it is. */
export interface Servant {
  token: string;
  isGuest: boolean;
}

/** Says that a worker serves the lane now. */
export async function sayServed(lane: Lane, { token, isGuest }: Servant): Promise<void> {
  const place = lane.keys.servants();
  const now = lane.now();
  await lane.ask(async client => {
    const saying = client.pipeline().zadd(place, now, memberOf({ token, isGuest }));
    const answers = await saying
      .zremrangebyscore(place, '-inf', now - KEPT_MS)
      .pexpire(place, KEPT_MS)
      .exec();
    for (const [error] of answers ?? []) if (error) throw error;
  });
}

/** The worker leaves the lane in an orderly way, so that others need not wait for its silence. */
export async function sayLeft(lane: Lane, token: string): Promise<void> {
  const members = [true, false].map(isGuest => memberOf({ token, isGuest }));
  await lane.ask(client => client.zrem(lane.keys.servants(), ...members));
}

/** The workers that serve the lane now. */
export async function servantsOf(lane: Lane): Promise<Servant[]> {
  const members = await lane.ask(client => client.zrangebyscore(lane.keys.servants(), lane.now() - SILENCE_MS, '+inf'));
  return members.map(member => ({ token: member.slice(0, -2), isGuest: member.endsWith('|g') }));
}

export async function isServed(lane: Lane): Promise<boolean> {
  return (await servantsOf(lane)).length > 0;
}

function memberOf({ token, isGuest }: Servant): string {
  return `${token}|${isGuest ? 'g' : 'o'}`;
}
