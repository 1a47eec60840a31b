import type { Lane } from './lane.ts';
import { LAST_CALL_MS } from './lua/attend.ts';
import type { QueueEntry } from './lua/work.ts';

const LEASE_MS = 5000;
export const CANARY_KEPT_MS = 600_000;

/** An intent whose POST may be under way. */
export interface OpenIntent {
  id: string;
  epoch: number;
}

/** What the sweeper asks of the store: who sweeps, and what was left behind. `limit` bounds each answer. */
export class Patrol {
  private readonly store: Lane;

  constructor(store: Lane) {
    this.store = store;
  }

  /** True if this worker has the lease now, by default the one for sweeping. The lease saves work; sweeping twice does no harm. */
  async takeLease(token: string, lease = this.store.keys.lease()): Promise<boolean> {
    return await this.store.ask(async client => {
      if ((await client.set(lease, token, 'PX', LEASE_MS, 'NX')) === 'OK') return true;
      if ((await client.get(lease)) !== token) return false;
      return (await client.pexpire(lease, LEASE_MS)) === 1;
    });
  }

  /** Ends this worker's lease, so that the next one need not wait for it to expire. */
  async handOverLease(token: string, lease = this.store.keys.lease()): Promise<void> {
    await this.store.ask(async client => {
      if ((await client.get(lease)) === token) await client.del(lease);
    });
  }

  /** Writes a worker's number and returns the one that the store had: 0 if it had none. */
  async swapCanary(token: string, number: number): Promise<number> {
    const place = this.store.keys.canary(token);
    return Number((await this.store.ask(client => client.set(place, number, 'PX', CANARY_KEPT_MS, 'GET'))) ?? 0);
  }

  async removeCanary(token: string): Promise<void> {
    await this.store.ask(client => client.del(this.store.keys.canary(token)));
  }

  /** Intents that were written before a time and have not been answered. */
  async openIntents(before: number, limit: number): Promise<OpenIntent[]> {
    const members = await this.upTo(this.store.keys.intents(), before, limit);
    return members.map(member => {
      const [id = '', epoch] = member.split('|');
      return { id, epoch: Number(epoch) };
    });
  }

  /** Removes an intent whose record is gone, because no script does. */
  async dropIntent({ id, epoch }: OpenIntent): Promise<void> {
    await this.store.ask(client => client.zrem(this.store.keys.intents(), `${id}|${epoch}`));
  }

  /** The scopes of holds that keep jobs parked. */
  async parkedScopes(): Promise<string[]> {
    return await this.store.ask(client => client.smembers(this.store.keys.parkedScopes()));
  }

  /** The open jobs that are due for a patrol. */
  async dueJobs(limit: number): Promise<string[]> {
    return await this.upTo(this.store.keys.open(), this.store.now(), limit);
  }

  async postponeJob(id: string, until: number): Promise<void> {
    await this.store.ask(client => client.zadd(this.store.keys.open(), 'XX', until, id));
  }

  /** The unsettled responses that are due for a patrol. */
  async dueResponses(limit: number): Promise<string[]> {
    return await this.upTo(this.store.keys.unsettled(), this.store.now(), limit);
  }

  async postponeResponse(responseId: string, until: number): Promise<void> {
    await this.store.ask(client => client.zadd(this.store.keys.unsettled(), 'XX', until, responseId));
  }

  /** Jobs whose stream had a follower that has been silent since before a time. */
  async silentStreams(before: number, limit: number): Promise<string[]> {
    return await this.upTo(this.store.keys.streams(), before, limit);
  }

  async dropStream(id: string): Promise<void> {
    await this.store.ask(client => client.zrem(this.store.keys.streams(), id));
  }

  /** Adds an entry that is due now, whatever its queue holds of it. False if it is active, and may be about to end. */
  async bringForward(queue: QueueEntry['queue'], id: string): Promise<boolean> {
    const now = this.store.now();
    return (await this.store.queues.ensure({ queue, id, dueAt: now, priority: 0 }, now)).settled;
  }

  /** Adds an entry if it is missing. One that is parked keeps its time. */
  async wake(queue: QueueEntry['queue'], id: string, priority: number): Promise<void> {
    if (await this.store.queues.isKept(queue, id)) return;
    const now = this.store.now();
    await this.store.queues.ensure({ queue, id, dueAt: now, priority }, now);
  }

  /** Attended jobs whose callers have all gone, or whose process has died and did not come back in time. */
  async unattendedJobs(limit: number): Promise<string[]> {
    return (await this.store.run('unattended', { last_call_ms: LAST_CALL_MS, limit })).ids;
  }

  private async upTo(place: string, score: number, limit: number): Promise<string[]> {
    return await this.store.ask(client => client.zrangebyscore(place, '-inf', score, 'LIMIT', 0, limit));
  }
}
