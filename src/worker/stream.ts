import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { upstreamFinalStatuses, upstreamResponseSchema } from '../shared/contract/response.ts';
import { closingEventTypes, type UpstreamEvent } from '../shared/contract/stream.ts';
import { chargeRow } from './charge-row.ts';
import type { Context } from './context.ts';
import { EventNumbers } from './event-numbers.ts';
import { insist } from './insist.ts';
import { itemIdsOf, seenOf } from './seen.ts';
import { takeIn } from './take-in.ts';
import type { UpstreamStream } from './upstream-stream.ts';

/** At most twenty writes a second a response, however fast its events come. */
const FLUSH_MS = 50;
const HEARTBEAT_MS = 2000;
/** A holder that has given no sign of life for so long is gone, and another worker takes up its stream. */
export const LIVE_MS = 6000;
const LARGEST_BATCH_BYTES = 256_000;
const MOST_BATCHES = 100_000;
const MOST_BYTES = 16_000_000;
const MOST_RETRIES = 5;
const FIRST_RETRY_MS = 250;
/** Less than a holder may be silent. */
const CALL_MS = 4000;

const lifecycleTypes = new Set(['response.created', 'response.queued', 'response.in_progress']);

export interface StreamedJob {
  id: string;
  model: string;
  responseId: string;
  include: string[];
  completionWindow: string | undefined;
}

/** Listens to a running response and writes what it hears where every reader finds it. Ends when there is no more to hear. */
export async function holdStream(
  job: StreamedJob,
  opened: UpstreamStream | undefined,
  decided: AbortSignal,
  context: Context,
): Promise<void> {
  const holder = new StreamHolder(job, decided, context);
  await holder.run(opened);
}

/** A sign of life, whatever its name: without a number, and without anything else in it. */
function saysNothing({ type, ...rest }: UpstreamEvent): boolean {
  return type === 'keepalive' || Object.values(rest).every(value => value === undefined);
}

/** What follows from a step. `gone`: the stream is not ours any more, or nobody wants it. */
type Step = 'on' | 'gone';

class StreamHolder {
  private readonly job: StreamedJob;
  private readonly decided: AbortSignal;
  private readonly context: Context;
  private readonly token = randomUUID();
  /** The last sequence number in the store. */
  private stored = -1;
  private numbers = new EventNumbers({ base: 0, last: -1, areTheirs: true });
  private pending: UpstreamEvent[] = [];
  private pendingBytes = 0;
  private flushedAt = 0;
  private heardAt = performance.now();
  /** Connections in a row on which nothing new came. */
  private barren = 0;

  constructor(job: StreamedJob, decided: AbortSignal, context: Context) {
    this.job = job;
    this.decided = decided;
    this.context = context;
  }

  async run(opened: UpstreamStream | undefined): Promise<void> {
    let stream = opened;
    try {
      const attached = await this.attach();
      if (!attached) return;
      this.numbers = new EventNumbers({
        base: attached.base,
        last: attached.after,
        areTheirs: attached.numbers === 'theirs',
      });
      stream ??= await this.reopen();
      while (stream) {
        this.context.telemetry.emit('stream_opened', { ...this.facts, after: this.numbers.last });
        const heardBefore = this.numbers.last;
        const end = await this.listen(stream);
        stream.close();
        if (end === 'gone') return;
        this.context.telemetry.emit('stream_broken', { ...this.facts, code: end, after: this.numbers.last });
        // How a connection ends says nothing of the response.
        if ((await this.ask()) === 'gone') return;
        this.barren = this.numbers.last > heardBefore ? 0 : this.barren + 1;
        stream = await this.reopen();
      }
    } finally {
      stream?.close();
    }
  }

  /** Until the response is decided, which is `gone`, or the connection ends without a word: its code. */
  private async listen(stream: UpstreamStream): Promise<'gone' | string> {
    const { stopping } = this.context;
    const interrupt = () => stream.interrupt();
    for (const signal of [this.decided, stopping]) signal.addEventListener('abort', interrupt);
    try {
      return await this.hear(stream);
    } finally {
      for (const signal of [this.decided, stopping]) signal.removeEventListener('abort', interrupt);
    }
  }

  private async hear(stream: UpstreamStream): Promise<'gone' | string> {
    const { stopping } = this.context;
    for (;;) {
      if (this.decided.aborted) return 'gone';
      if (stopping.aborted) return await this.letGo(false);
      const sinceFlush = performance.now() - this.flushedAt;
      const waitMs = this.pending.length > 0 ? Math.max(0, FLUSH_MS - sinceFlush) : this.idleMs;
      const heard = await stream.next(waitMs);
      if (this.decided.aborted) return 'gone';
      if (stopping.aborted) return await this.letGo(false);
      if (heard.kind === 'event') {
        if (closingEventTypes.has(heard.event.type)) {
          if ((await this.flush()) === 'gone') return 'gone';
          return await this.finish(heard.event, stream.servedModel);
        }
        if (this.take(heard.event) === 'lost') return await this.letGo(true, 'unnumbered');
      }
      if (heard.kind !== 'event' || this.isFlushDue()) if ((await this.flush()) === 'gone') return 'gone';
      if (heard.kind === 'ended' || heard.kind === 'broken') return heard.kind;
      if (
        performance.now() - this.heardAt > this.context.configuration.streamSilenceMs &&
        (await this.ask()) === 'gone'
      )
        return 'gone';
    }
  }

  /** Also where nothing is to be written for a while: a sign of life is due then. */
  private isFlushDue(): boolean {
    const sinceMs = performance.now() - this.flushedAt;
    const hasMuch = this.pending.length > 0 && (sinceMs >= FLUSH_MS || this.pendingBytes > LARGEST_BATCH_BYTES);
    return hasMuch || sinceMs >= HEARTBEAT_MS;
  }

  /** What comes again, and what only keeps the connection alive, is passed over. */
  private take(event: UpstreamEvent): 'taken' | 'lost' {
    if (saysNothing(event)) {
      this.numbers.skip(event);
      return 'taken';
    }
    this.heardAt = performance.now();
    const place = this.numbers.place(event);
    if (typeof place !== 'number') return place === 'lost' ? 'lost' : 'taken';
    const numbered = { ...event, sequence_number: place };
    this.pending.push(numbered);
    this.pendingBytes += JSON.stringify(numbered).length;
    return 'taken';
  }

  /** Null where another holder has the stream, or nobody wants it any more. */
  private async attach() {
    const { store } = this.context;
    const { id, responseId } = this.job;
    const reply = await insist(
      () => store.run('attach_stream', { id, response_id: responseId, token: this.token, live_ms: LIVE_MS }),
      this.context,
    );
    if (reply.reply !== 'attached') return null;
    this.stored = reply.after;
    return reply;
  }

  /** Writes what was heard; without anything new it says that we live. Waits for a store that is away: nothing is lost. */
  private async flush(): Promise<Step> {
    const { store } = this.context;
    const last = this.pending.at(-1)?.sequence_number ?? this.stored;
    const body = JSON.stringify(this.pending);
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
    const { reply } = await insist(() => store.run('append_events', given, body), this.context);
    this.flushedAt = performance.now();
    if (reply === 'full') return await this.letGo(true, 'longer than what is kept of a stream');
    if (reply === 'final') return 'gone';
    if (reply === 'stale') {
      // Another holder; or ours was written, and only the answer was lost.
      const attached = await this.attach();
      if (!attached) return 'gone';
      this.numbers.last = Math.max(this.numbers.last, attached.after);
      this.pending = this.pending.filter(({ sequence_number: number = 0 }) => number > this.stored);
      return this.pending.length > 0 ? await this.flush() : 'on';
    }
    this.stored = last;
    this.pending = [];
    this.pendingBytes = 0;
    return 'on';
  }

  /** The last event has the whole response, so it decides as a look would. */
  private async finish(event: UpstreamEvent, servedModel: string | undefined): Promise<'gone' | string> {
    const { telemetry } = this.context;
    const raw = event.response ?? {};
    const parsed = upstreamResponseSchema.safeParse(raw);
    telemetry.emit('stream_ended', { ...this.facts, last: this.numbers.last });
    if (!parsed.success || !upstreamFinalStatuses.has(parsed.data.status)) return 'unreadable_end';
    const text = JSON.stringify(raw);
    await this.takeIn({ kind: 'seen', response: parsed.data, text, servedModel }, this.numbers.isWhole);
    return await this.letGo(false);
  }

  /** Asks by a GET: a stream that is silent, or that ended without a last event, says nothing of the response. */
  private async ask(): Promise<Step> {
    this.heardAt = performance.now();
    const signal = AbortSignal.any([this.context.stopping, AbortSignal.timeout(CALL_MS)]);
    const { responseId, include } = this.job;
    const look = await this.context.upstream.retrieve(responseId, { signal, include });
    if (look.kind !== 'seen' || !upstreamFinalStatuses.has(look.response.status)) return 'on';
    await this.takeIn(look, false);
    return await this.letGo(false);
  }

  private async takeIn(look: Parameters<typeof takeIn>[2], isComplete: boolean): Promise<void> {
    const { store, configuration } = this.context;
    const { id, model, responseId, completionWindow } = this.job;
    const record = await insist(() => store.record(id), this.context);
    const seen = seenOf({ ...look, model, completionWindow }, configuration.prices);
    if (record?.status !== 'running' || record.response_id !== responseId) {
      // Decided meanwhile: what was seen still belongs in the ledger (I3).
      await insist(
        () => chargeRow({ job_id: id, model, response_id: responseId }, { seen }, this.context),
        this.context,
      );
      return;
    }
    await insist(() => takeIn(record, responseId, look, seen, this.context, isComplete), this.context);
  }

  private async reopen(): Promise<UpstreamStream | undefined> {
    const { upstream, stopping } = this.context;
    const after = this.numbers.resumeAfter;
    if (after === null) {
      await this.letGo(true, 'unnumbered');
      return undefined;
    }
    const interrupted = AbortSignal.any([this.decided, stopping]);
    for (let tries = this.barren; tries < MOST_RETRIES && !interrupted.aborted; tries += 1) {
      if (tries > 0) await sleep(FIRST_RETRY_MS * 2 ** tries, undefined, { signal: interrupted }).catch(() => {});
      const answer = await upstream.resumeStream(this.job.responseId, after, this.job.include);
      if (answer.kind === 'opened') {
        this.numbers.reconnect();
        return answer.stream;
      }
      if (answer.kind === 'refused') {
        await this.letGo(true, answer.code);
        return undefined;
      }
      if ((await this.flush()) === 'gone') return undefined;
    }
    // Whatever the provider does, it is not heard this way any more: looks go on.
    if (!this.decided.aborted) await this.letGo(!stopping.aborted, 'not_resumed');
    return undefined;
  }

  /** The next look at the job comes at once; unless we give up it takes up the stream again. */
  private async letGo(giveUp: boolean, code = ''): Promise<'gone'> {
    const { store, telemetry } = this.context;
    const given = { id: this.job.id, token: this.token, give_up: giveUp };
    const reply = await insist(() => store.run('detach_stream', given), this.context);
    if (giveUp) telemetry.emit('stream_given_up', { ...this.facts, code });
    await store.outbox.followQuietly(reply.work);
    return 'gone';
  }

  /** Between two signs of life, or until the silence is too long. */
  private get idleMs(): number {
    return Math.min(HEARTBEAT_MS, this.context.configuration.streamSilenceMs);
  }

  private get facts() {
    const { id, model, responseId } = this.job;
    return { job_id: id, model, response_id: responseId };
  }
}
