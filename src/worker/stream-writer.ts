import { randomUUID } from 'node:crypto';
import type { UpstreamEvent } from '../shared/contract/stream.ts';
import type { ReplyOf } from '../shared/store/scripts.ts';
import type { Context } from './context.ts';
import { EventNumbers } from './event-numbers.ts';
import { insist } from './insist.ts';
import { itemIdsOf } from './result-body.ts';

/** A follower that was silent for this long is taken for dead, and another worker follows its stream. */
export const LIVE_MS = 6000;
const HEARTBEAT_MS = 2000;
/** Bounds the writes to twenty a second for each response, however fast its events come. */
const FLUSH_MS = 50;
const LARGEST_BATCH_BYTES = 256_000;
const MOST_BATCHES = 100_000;
const MOST_BYTES = 16_000_000;

const lifecycleTypes = new Set(['response.created', 'response.queued', 'response.in_progress']);

export interface StreamedJob {
  id: string;
  model: string;
  responseId: string;
  include: string[];
  /** The part of them that the create had. */
  own: string[];
  completionWindow: string | undefined;
}

/** What a flush came to. `lost`: the stream is another worker's, or nobody wants it. `full`: the store keeps no more of it. */
export type Flushed = 'written' | 'lost' | 'full';

/** Claims a job's stream in the store, numbers its events and writes them there in batches (I7). */
export class StreamWriter {
  numbers = new EventNumbers({ base: 0, last: -1, areTheirs: true });
  private readonly job: StreamedJob;
  private readonly context: Context;
  private readonly token = randomUUID();
  /** The last sequence number in the store. */
  private stored = -1;
  private pending: UpstreamEvent[] = [];
  private pendingBytes = 0;
  private flushedAt = 0;

  constructor(job: StreamedJob, context: Context) {
    this.job = job;
    this.context = context;
  }

  /** False if another worker follows the stream, or nobody wants it any more. */
  async begin(): Promise<boolean> {
    const attached = await this.attach();
    if (!attached) return false;
    const { base, after, numbers } = attached;
    this.numbers = new EventNumbers({ base, last: after, areTheirs: numbers === 'theirs' });
    return true;
  }

  /** Takes an event into the next batch. False if nobody can tell where it belongs. An event that came before is passed over. */
  add(event: UpstreamEvent): boolean {
    const place = this.numbers.place(event);
    if (typeof place !== 'number') return place !== 'lost';
    const numbered = { ...event, sequence_number: place };
    this.pending.push(numbered);
    this.pendingBytes += JSON.stringify(numbered).length;
    return true;
  }

  /** How long to wait for the next event before a flush is due, in milliseconds. */
  get idleMs(): number {
    const sinceMs = performance.now() - this.flushedAt;
    return this.pending.length > 0 ? Math.max(0, FLUSH_MS - sinceMs) : HEARTBEAT_MS;
  }

  /** True if a batch is due, or a sign of life while there is nothing to write. */
  isFlushDue(): boolean {
    const sinceMs = performance.now() - this.flushedAt;
    const hasMuch = this.pending.length > 0 && (sinceMs >= FLUSH_MS || this.pendingBytes > LARGEST_BATCH_BYTES);
    return hasMuch || sinceMs >= HEARTBEAT_MS;
  }

  /** Writes the batch, or a sign of life if it is empty. Waits for a store that is away, so no event is lost. */
  async flush(): Promise<Flushed> {
    const last = this.pending.at(-1)?.sequence_number ?? this.stored;
    const given = {
      id: this.job.id,
      token: this.token,
      after: this.stored,
      last,
      item_ids: itemIdsOf(this.pending.map(({ item }) => item)),
      are_theirs: this.numbers.areTheirs,
      has_output: this.pending.some(({ type }) => !lifecycleTypes.has(type)),
      most_batches: MOST_BATCHES,
      most_bytes: MOST_BYTES,
    };
    const body = JSON.stringify(this.pending);
    const { reply } = await insist(() => this.context.store.run('append_events', given, body), this.context);
    this.flushedAt = performance.now();
    if (reply === 'full') return 'full';
    if (reply === 'final') return 'lost';
    if (reply === 'stale') return await this.recover();
    this.stored = last;
    this.pending = [];
    this.pendingBytes = 0;
    return 'written';
  }

  /** Lets go of the stream. `giveUp`: the job is polled from here on. */
  async detach(giveUp: boolean): Promise<void> {
    const { store } = this.context;
    const given = { id: this.job.id, token: this.token, give_up: giveUp };
    const reply = await insist(() => store.run('detach_stream', given), this.context);
    await store.outbox.carryOutQuietly(reply.work);
  }

  /** Another worker follows the stream; or this batch was written and only the answer was lost. */
  private async recover(): Promise<Flushed> {
    const attached = await this.attach();
    if (!attached) return 'lost';
    if (attached.after > this.numbers.last) {
      // Another follower heard more than this one, whose connection would bring all that again under other numbers (I7).
      await this.detach(false);
      return 'lost';
    }
    this.pending = this.pending.filter(({ sequence_number: number = 0 }) => number > this.stored);
    return this.pending.length > 0 ? await this.flush() : 'written';
  }

  private async attach(): Promise<Extract<ReplyOf<'attach_stream'>, { reply: 'attached' }> | null> {
    const { id, responseId } = this.job;
    const given = { id, response_id: responseId, token: this.token, live_ms: LIVE_MS };
    const reply = await insist(() => this.context.store.run('attach_stream', given), this.context);
    if (reply.reply !== 'attached') return null;
    this.stored = reply.after;
    return reply;
  }
}
