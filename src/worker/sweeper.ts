import { randomUUID } from 'node:crypto';
import { CLIENT_DISCONNECTED } from '../shared/contract/words.ts';
import { CancellationDriver } from '../shared/store/cancellation-driver.ts';
import { errorCode, refusalOf } from '../shared/store/connection/store-errors.ts';
import { PATROL_MS } from '../shared/store/lua/script.ts';
import { Patrol } from '../shared/store/patrol.ts';
import { abandonedCancellations, runCancellation } from '../shared/store/run-cancellation.ts';
import { Canary } from './canary.ts';
import type { Context } from './context.ts';
import { decide, expire } from './decide.ts';
import { LIVE_MS } from './stream-writer.ts';
import { resolveUnknown } from './unknown-launch.ts';

const TICK_MS = 1000;
/** BullMQ's check for stalled entries trims its events every few seconds, and what is left to tidy is in no hurry. */
const TIDY_MS = 60_000;
/** The process that wrote a line of the outbox has this long to carry it out. */
const OWN_HAND_MS = 1000;
const MOST_PER_TICK = 500;
/** A launch that waits here begins late, and 12,000 lines are done in some seconds. */
const MOST_LINES_PER_TICK = 2000;

/**
 * Finds what was left behind: queue entries that were written and never added, launches whose worker died, jobs past their
 * deadline, jobs whose hold has ended, streams without a follower, upgraded jobs whose server died with their callers, bulk
 * cancels whose process died, expired records, and what BullMQ keeps too much of.
 *
 * Every worker has a sweeper. A lease lets one of them work, which saves work and is not needed for safety.
 */
export class Sweeper {
  private readonly context: Context;
  private readonly patrol: Patrol;
  private readonly token = randomUUID();
  private readonly canary: Canary;
  private readonly cancellations: CancellationDriver;
  private timer: NodeJS.Timeout | undefined;
  private ticking: Promise<void> = Promise.resolve();
  private stopped = false;
  private tidiedAt = Number.NEGATIVE_INFINITY;
  /** The words with which this lane has refused writes since the last tick. */
  private refused = new Set<string>();

  constructor(context: Context) {
    const { store, telemetry } = context;
    this.context = context;
    this.patrol = new Patrol(store);
    this.canary = new Canary(this.patrol, this.token, telemetry);
    this.cancellations = new CancellationDriver(
      (id, signal) => runCancellation(store, telemetry, id, signal),
      telemetry,
    );
  }

  start(): void {
    this.timer = setTimeout(() => {
      this.ticking = this.tick()
        // A tick that fails loses nothing, because the next one finds the same work.
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
    this.context.refusals.note(this.context.store, []);
    await Promise.all([this.patrol.handOverLease(this.token), this.canary.leave()]).catch(() => {});
  }

  private async tick(): Promise<void> {
    const { store } = this.context;
    await store.readClock();
    await this.quietly(() => this.canary.sing());
    this.context.refusals.note(store, this.refused);
    this.refused = new Set();
    if (!(await this.takeLease())) return;
    const steps = [
      () => this.sweepOutbox(),
      () => this.findDeadLaunches(),
      () => this.releaseParked(),
      // It also removes what the patrols would find nothing behind.
      () => store.run('forget', { limit: MOST_PER_TICK }),
      () => this.patrolJobs(),
      () => this.patrolResponses(),
      () => this.findSilentStreams(),
      () => this.cancelUnattended(),
      async () => this.cancellations.takeOver(await abandonedCancellations(store)),
      () => this.tidy(),
    ];
    // A step that fails does not stop the others: with Redis full, forgetting is what makes room.
    for (const step of steps) await this.quietly(step);
  }

  private async quietly(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      const word = refusalOf(error);
      if (word === null)
        this.context.telemetry.emit('activation_failed', { queue: 'sweep', entry_id: '', error: errorCode(error) });
      else this.refused.add(word);
    }
  }

  private async takeLease(): Promise<boolean> {
    try {
      return await this.patrol.takeLease(this.token);
    } catch (error) {
      // A full Redis refuses the lease, and sweeping is what makes room. Sweeping twice is better than not at all.
      if (refusalOf(error) !== null) return true;
      throw error;
    }
  }

  private async sweepOutbox(): Promise<void> {
    const { store, telemetry } = this.context;
    const work = await store.outbox.overdue(store.now() - OWN_HAND_MS, MOST_LINES_PER_TICK);
    if (work.length === 0) return;
    await store.outbox.carryOut(work);
    telemetry.emit('work_recovered', { entries: work.length, from: 'outbox' });
  }

  /**
   * A worker died while it sent a create: BullMQ's lock on the entry has expired, and the entry may wait behind others or in a
   * paused queue. Calling the launch unknown is safe even if that worker lives, because its id is still accepted (I4, I6).
   */
  private async findDeadLaunches(): Promise<void> {
    const { store, configuration } = this.context;
    for (const intent of await this.patrol.openIntents(store.now() - configuration.lockMs, MOST_PER_TICK)) {
      if (await store.queues.isLocked('launch', intent.id)) continue;
      await resolveUnknown(intent.id, intent.epoch, { code: 'worker_lost', witnessed: false }, this.context);
      await this.patrol.dropIntent(intent);
    }
  }

  private async releaseParked(): Promise<void> {
    const { store } = this.context;
    for (const scope of await this.patrol.parkedScopes()) {
      const reply = await store.run('release', { scope, limit: MOST_PER_TICK });
      await store.outbox.carryOut(reply.work);
    }
  }

  private async patrolJobs(): Promise<void> {
    const { store } = this.context;
    for (const id of await this.patrol.dueJobs(MOST_PER_TICK)) {
      const record = await store.record(id);
      if (!record) continue;
      if (record.deadline_at <= store.now()) await this.quietly(() => expire(id, this.context));
      else {
        await this.patrol.wake(record.status === 'queued' ? 'launch' : 'poll', id, record.priority);
        await this.patrol.postponeJob(id, Math.min(record.deadline_at, store.now() + PATROL_MS));
      }
    }
  }

  private async tidy(): Promise<void> {
    if (performance.now() - this.tidiedAt < TIDY_MS) return;
    this.tidiedAt = performance.now();
    await this.context.store.queues.tidy();
  }

  private async patrolResponses(): Promise<void> {
    const { store } = this.context;
    for (const responseId of await this.patrol.dueResponses(MOST_PER_TICK)) {
      await this.patrol.wake('settle', responseId, 0);
      await this.patrol.postponeResponse(responseId, store.now() + PATROL_MS);
    }
  }

  /** The process that spoke for these callers is gone, and no other one has their jobs. */
  private async cancelUnattended(): Promise<void> {
    for (const id of await this.patrol.unattendedJobs(MOST_PER_TICK))
      await this.quietly(() =>
        decide(
          id,
          { status: 'cancelled', cause: 'cancelled', reason: CLIENT_DISCONNECTED, only_unattended: true },
          this.context,
        ),
      );
  }

  /** A worker died while it followed a stream. The job's next poll comes now and follows the stream again. */
  private async findSilentStreams(): Promise<void> {
    const { store } = this.context;
    for (const id of await this.patrol.silentStreams(store.now() - LIVE_MS, MOST_PER_TICK)) {
      const record = await store.record(id);
      const isOpen = record?.status === 'running' && record.stream === 'live';
      if (isOpen && !(await this.patrol.bringForward('poll', id))) continue;
      // Once is enough: if every process follows as many streams as it may, the job is polled in its time.
      await this.patrol.dropStream(id);
    }
  }
}
