import { setTimeout as sleep } from 'node:timers/promises';
import type { UpstreamStream } from '../provider/upstream-stream.ts';
import { upstreamFinalStatuses, upstreamResponseSchema } from '../shared/contract/response.ts';
import { closingEventTypes, type UpstreamEvent } from '../shared/contract/stream.ts';
import { conclude, type FoundResponse } from './conclude.ts';
import type { Context } from './context.ts';
import { charge } from './decide.ts';
import { insist } from './insist.ts';
import { observe } from './observation.ts';
import { type StreamedJob, StreamWriter } from './stream-writer.ts';

const MOST_RETRIES = 5;
const FIRST_RETRY_MS = 250;
/** Less than a follower may be silent. */
const RETRIEVE_TIMEOUT_MS = 4000;

/**
 * Follows the stream of one running response and writes its events where every reader finds them. A follower claims the
 * stream in the store, and then goes through these stages:
 *
 * - `listening` on a connection, until the response ends or the connection breaks;
 * - `reopening`: it asks for the events after the last one that it has, a few times;
 * - `ended`: the response has its outcome, another worker follows it, or the job is polled from here on.
 */
type Stage =
  | { kind: 'listening'; stream: UpstreamStream; barren: number }
  /** `barren`: how many connections in a row brought nothing new. */
  | { kind: 'reopening'; barren: number }
  | { kind: 'ended' };

const ended = { kind: 'ended' } as const;

/** Follows a job's stream until there is no more to hear. `decided` is aborted when the job has its outcome. */
export async function followStream(
  job: StreamedJob,
  opened: UpstreamStream | undefined,
  decided: AbortSignal,
  context: Context,
): Promise<void> {
  await new StreamFollower(job, decided, context).run(opened);
}

class StreamFollower {
  private readonly job: StreamedJob;
  private readonly decided: AbortSignal;
  private readonly context: Context;
  private readonly writer: StreamWriter;
  private heardAt = performance.now();

  constructor(job: StreamedJob, decided: AbortSignal, context: Context) {
    this.job = job;
    this.decided = decided;
    this.context = context;
    this.writer = new StreamWriter(job, context);
  }

  async run(opened: UpstreamStream | undefined): Promise<void> {
    let stage: Stage = opened ? { kind: 'listening', stream: opened, barren: 0 } : { kind: 'reopening', barren: 0 };
    try {
      if (!(await this.writer.begin())) return;
      while (stage.kind !== 'ended')
        stage = stage.kind === 'listening' ? await this.listen(stage) : await this.reopen(stage.barren);
    } finally {
      if (stage.kind === 'listening') stage.stream.close();
    }
  }

  private async listen({ stream, barren }: Extract<Stage, { kind: 'listening' }>): Promise<Stage> {
    const { telemetry } = this.context;
    const { numbers } = this.writer;
    telemetry.emit('stream_opened', { ...this.facts, after: numbers.last });
    const heardBefore = numbers.last;
    const end = await this.hear(stream);
    stream.close();
    if (end === 'ended') return ended;
    telemetry.emit('stream_broken', { ...this.facts, code: end.broken, after: numbers.last });
    // The end of a connection says nothing about the response, so the provider is asked.
    if (await this.hasEnded()) return ended;
    return { kind: 'reopening', barren: numbers.last > heardBefore ? 0 : barren + 1 };
  }

  private async reopen(barren: number): Promise<Stage> {
    const { upstream, stopping } = this.context;
    const { numbers } = this.writer;
    const after = numbers.resumeAfter;
    if (after === null) return await this.giveUp('unnumbered');
    const interrupted = AbortSignal.any([this.decided, stopping]);
    for (let tries = barren; tries < MOST_RETRIES && !interrupted.aborted; tries += 1) {
      if (tries > 0) await sleep(FIRST_RETRY_MS * 2 ** tries, undefined, { signal: interrupted }).catch(() => {});
      const answer = await upstream.resumeStream(this.job.responseId, after, this.job.include);
      if (answer.kind === 'opened') {
        numbers.reconnect();
        return { kind: 'listening', stream: answer.stream, barren };
      }
      if (answer.kind === 'refused') return await this.giveUp(answer.code);
      if (!(await this.flush())) return ended;
    }
    if (this.decided.aborted) return ended;
    return stopping.aborted ? await this.letGo() : await this.giveUp('not_resumed');
  }

  /** Hears a connection to its end. A worker that stops, or a job that was decided, ends it at once. */
  private async hear(stream: UpstreamStream): Promise<'ended' | { broken: string }> {
    const { stopping } = this.context;
    const interrupt = () => stream.interrupt();
    for (const signal of [this.decided, stopping]) signal.addEventListener('abort', interrupt);
    try {
      return await this.hearEvents(stream);
    } finally {
      for (const signal of [this.decided, stopping]) signal.removeEventListener('abort', interrupt);
    }
  }

  private async hearEvents(stream: UpstreamStream): Promise<'ended' | { broken: string }> {
    const { stopping, configuration } = this.context;
    for (;;) {
      if (this.decided.aborted) return 'ended';
      if (stopping.aborted) return (await this.letGo()).kind;
      const heard = await stream.next(Math.min(this.writer.idleMs, configuration.streamSilenceMs));
      if (this.decided.aborted) return 'ended';
      if (stopping.aborted) return (await this.letGo()).kind;
      if (heard.kind === 'event') {
        if (closingEventTypes.has(heard.event.type))
          return (await this.flush()) ? await this.finish(heard.event, stream.servedModel) : 'ended';
        if (!this.take(heard.event)) return (await this.giveUp('unnumbered')).kind;
      }
      if (heard.kind !== 'event' || this.writer.isFlushDue()) if (!(await this.flush())) return 'ended';
      if (heard.kind === 'ended' || heard.kind === 'broken') return { broken: heard.kind };
      const isSilent = performance.now() - this.heardAt > configuration.streamSilenceMs;
      if (isSilent && (await this.hasEnded())) return 'ended';
    }
  }

  /** False if nobody can tell where the event belongs. */
  private take(event: UpstreamEvent): boolean {
    if (saysNothing(event)) {
      this.writer.numbers.skip(event);
      return true;
    }
    this.heardAt = performance.now();
    return this.writer.add(event);
  }

  /** False if the stream is over for this follower. */
  private async flush(): Promise<boolean> {
    const flushed = await this.writer.flush();
    if (flushed === 'full') await this.giveUp('longer than what is kept of a stream');
    return flushed === 'written';
  }

  /** The last event has the whole response, so it decides the job as a poll would. */
  private async finish(event: UpstreamEvent, servedModel: string | undefined): Promise<'ended' | { broken: string }> {
    const raw = event.response ?? {};
    const parsed = upstreamResponseSchema.safeParse(raw);
    this.context.telemetry.emit('stream_ended', { ...this.facts, last: this.writer.numbers.last });
    if (!parsed.success || !upstreamFinalStatuses.has(parsed.data.status)) return { broken: 'unreadable_end' };
    const found: FoundResponse = { kind: 'found', response: parsed.data, text: JSON.stringify(raw), servedModel };
    await this.concludeBy(found, this.writer.numbers.isWhole);
    return (await this.letGo()).kind;
  }

  /** Asks by a GET whether the response has ended, and concludes the job if it has. */
  private async hasEnded(): Promise<boolean> {
    this.heardAt = performance.now();
    const signal = AbortSignal.any([this.context.stopping, AbortSignal.timeout(RETRIEVE_TIMEOUT_MS)]);
    const { responseId, include, own } = this.job;
    const answer = await this.context.upstream.retrieve(responseId, { signal, include, own });
    if (answer.kind !== 'found' || !upstreamFinalStatuses.has(answer.response.status)) return false;
    await this.concludeBy(answer, false);
    await this.letGo();
    return true;
  }

  private async concludeBy(found: FoundResponse, isStreamComplete: boolean): Promise<void> {
    const { store, configuration } = this.context;
    const { id, model, responseId, completionWindow } = this.job;
    const record = await insist(() => store.record(id), this.context);
    const observation = observe({ ...found, model, completionWindow }, configuration.prices);
    if (record?.status !== 'running' || record.response_id !== responseId) {
      // The job was decided meanwhile, but what was observed belongs in the ledger (I3).
      await insist(() => charge(this.facts, { observation }, this.context), this.context);
      return;
    }
    const finding = { record, responseId, found, observation, isStreamComplete };
    await insist(() => conclude(finding, this.context), this.context);
  }

  /** Lets go of the stream. The job's next poll comes at once and follows it again, in this worker or another. */
  private async letGo(): Promise<typeof ended> {
    await this.writer.detach(false);
    return ended;
  }

  /** Lets go of the stream for good: the job is polled from here on. */
  private async giveUp(code: string): Promise<typeof ended> {
    await this.writer.detach(true);
    this.context.telemetry.emit('stream_given_up', { ...this.facts, code });
    return ended;
  }

  private get facts() {
    const { id, model, responseId } = this.job;
    return { job_id: id, model, response_id: responseId };
  }
}

/** True for a sign of life, whatever its name: it has no number and nothing else in it. */
function saysNothing({ type, ...rest }: UpstreamEvent): boolean {
  return type === 'keepalive' || Object.values(rest).every(value => value === undefined);
}
