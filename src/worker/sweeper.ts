import { randomUUID } from 'node:crypto';
import { CancellationDriver } from '../shared/store/cancellation-driver.ts';
import { PATROL_MS } from '../shared/store/lua/script.ts';
import { parseWork, type QueueName } from '../shared/store/lua/work.ts';
import type { Store } from '../shared/store/store.ts';
import { errorCode, refusalOf } from '../shared/store/store-errors.ts';
import { Canary } from './canary.ts';
import type { Context } from './context.ts';
import { expire } from './decide.ts';
import { resolveUnknown } from './launch-answer.ts';
import { LIVE_MS } from './stream.ts';

const TICK_MS = 1000;
const LEASE_MS = 5000;
/** Whoever wrote a line of the outbox adds the entry itself, and gets this long for it. */
const OWN_HAND_MS = 1000;
const MOST_PER_TICK = 500;

const refusalAdvice = 'The store answers and does not write: look after its memory, disk, replicas and role.';

/**
 * Finds what was left behind: entries that were written and never added, jobs past their deadline, jobs whose hold is
 * over, bulk cancels whose process ended, records whose time is. Every worker has one; a lease lets one of them work, for thrift and not for safety.
 */
export class Sweeper {
  private readonly context: Context;
  private readonly token = randomUUID();
  private readonly canary: Canary;
  private readonly cancellations: CancellationDriver;
  private timer: NodeJS.Timeout | undefined;
  private ticking: Promise<void> = Promise.resolve();
  private stopped = false;
  private readonly refusals = new Set<string>();
  private told = '';

  constructor(context: Context) {
    this.context = context;
    this.canary = new Canary(context, this.token);
    this.cancellations = new CancellationDriver(context.store, context.telemetry);
  }

  start(): void {
    this.timer = setTimeout(() => {
      this.ticking = this.tick()
        // A tick that fails is no loss: the next one finds the same.
        .catch(() => {})
        .then(() => {
          if (!this.stopped) this.start();
        });
    }, TICK_MS);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.ticking;
    await this.cancellations.stop();
    await Promise.all([this.handOver(), this.canary.leave()]).catch(() => {});
  }

  /** A store that refuses says so in one line when it begins and in one when it ends, not in one each second. */
  private tellRefusals(): void {
    const { telemetry } = this.context;
    const word = [...this.refusals].sort().join(', ');
    this.refusals.clear();
    if (word === this.told) return;
    this.told = word;
    if (word === '') telemetry.emit('store_writes', {});
    else telemetry.emit('store_refuses', { code: word, advice: refusalAdvice });
  }

  private async tick(): Promise<void> {
    const { store } = this.context;
    await store.readClock();
    await this.quietly(() => this.canary.sing());
    this.tellRefusals();
    if (!(await this.holdLease())) return;
    const steps = [
      () => this.sweepOutbox(),
      () => this.findDeadLaunches(),
      () => this.releaseParked(),
      () => this.patrolJobs(),
      () => this.patrolResponses(),
      () => this.findSilentStreams(),
      () => this.cancellations.takeOver(),
      () => store.run('forget', { most: MOST_PER_TICK }),
      () => this.trimLedger(),
    ];
    // One step that fails keeps no other back: with Redis full, forgetting is what makes room.
    for (const step of steps) await this.quietly(step);
  }

  private async quietly(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      const word = refusalOf(error);
      if (word === null)
        this.context.telemetry.emit('activation_failed', { queue: 'sweep', entry_id: '', error: errorCode(error) });
      else this.refusals.add(word);
    }
  }

  private async holdLease(): Promise<boolean> {
    const { client, keys } = this.context.store;
    try {
      if ((await client.set(keys.lease(), this.token, 'PX', LEASE_MS, 'NX')) === 'OK') return true;
    } catch (error) {
      // A full Redis refuses the lease, and sweeping is what makes room: better twice than not at all.
      if (refusalOf(error) !== null) return true;
      throw error;
    }
    if ((await client.get(keys.lease())) !== this.token) return false;
    return (await client.pexpire(keys.lease(), LEASE_MS)) === 1;
  }

  /** So that the next worker need not wait for the lease to run out. */
  private async handOver(): Promise<void> {
    const { client, keys } = this.context.store;
    if ((await client.get(keys.lease())) === this.token) await client.del(keys.lease());
  }

  private async sweepOutbox(): Promise<void> {
    const { store, telemetry } = this.context;
    const old = store.now() - OWN_HAND_MS;
    const lines = await store.client.zrangebyscore(store.keys.outbox(), '-inf', old, 'LIMIT', 0, MOST_PER_TICK);
    if (lines.length === 0) return;
    await store.outbox.follow(lines.map(parseWork));
    telemetry.emit('work_recovered', { entries: lines.length, from: 'outbox' });
  }

  /**
   * A worker that died at its POST: BullMQ's lock on the entry has run out, and the entry itself may wait behind others
   * or in a paused queue. To call its launch unknown is safe even if it lives: its id is taken all the same (I4, I6).
   */
  private async findDeadLaunches(): Promise<void> {
    const { store, configuration } = this.context;
    const old = store.now() - configuration.lockMs;
    const intents = await store.client.zrangebyscore(store.keys.intents(), '-inf', old, 'LIMIT', 0, MOST_PER_TICK);
    for (const intent of intents) {
      const [id = '', epoch] = intent.split('|');
      if (await store.queues.isLocked('launch', id)) continue;
      await resolveUnknown(id, Number(epoch), { code: 'worker_lost', witnessed: false }, this.context);
      // Its record may be gone, and then no script takes it out.
      await store.client.zrem(store.keys.intents(), intent);
    }
  }

  private async releaseParked(): Promise<void> {
    const { store } = this.context;
    for (const scope of await store.client.smembers(store.keys.parkedScopes())) {
      const reply = await store.run('release', { scope, most: MOST_PER_TICK });
      await store.outbox.follow(reply.work);
    }
  }

  private async patrolJobs(): Promise<void> {
    const { store } = this.context;
    for (const id of await due(store, store.keys.open())) {
      const record = await store.record(id);
      if (record && record.deadline_at <= store.now()) await this.quietly(() => expire(id, this.context));
      else if (record) {
        await wake(store, record.status === 'queued' ? 'launch' : 'poll', id, record.priority);
        const next = Math.min(record.deadline_at, store.now() + PATROL_MS);
        await store.client.zadd(store.keys.open(), 'XX', next, id);
      }
    }
  }

  /** A worker that died with a stream in hand: the next look takes it up, and it comes now. */
  private async findSilentStreams(): Promise<void> {
    const { store } = this.context;
    const old = store.now() - LIVE_MS;
    for (const id of await store.client.zrangebyscore(store.keys.streams(), '-inf', old, 'LIMIT', 0, MOST_PER_TICK)) {
      const record = await store.record(id);
      if (record?.status === 'running' && record.stream === 'live')
        await store.queues.ensure({ queue: 'poll', id, dueAt: store.now(), priority: 0, line: '' }, store.now());
      // Once is enough: where every process is full, the job is looked at in its own time.
      await store.client.zrem(store.keys.streams(), id);
    }
  }

  private async patrolResponses(): Promise<void> {
    const { store } = this.context;
    for (const responseId of await due(store, store.keys.unsettled())) {
      await wake(store, 'settle', responseId, 0);
      await store.client.zadd(store.keys.unsettled(), 'XX', store.now() + PATROL_MS, responseId);
    }
  }

  /** The rows themselves expire; their index has to follow. */
  private async trimLedger(): Promise<void> {
    const { store, configuration } = this.context;
    await store.client.zremrangebyscore(store.keys.rows(), '-inf', store.now() - configuration.ledgerTtlMs);
  }
}

async function due(store: Store, key: string): Promise<string[]> {
  return await store.client.zrangebyscore(key, '-inf', store.now(), 'LIMIT', 0, MOST_PER_TICK);
}

/** Adds an entry that is missing. One that is parked keeps its time: the schedule of its looks is not ours to hurry. */
async function wake(store: Store, queue: QueueName, id: string, priority: number): Promise<void> {
  if (await store.queues.isKept(queue, id)) return;
  await store.queues.ensure({ queue, id, dueAt: store.now(), priority, line: '' }, store.now());
}
