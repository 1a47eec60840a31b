import { setImmediate as nextTurn } from 'node:timers/promises';
import { HeadstoneError } from '../shared/contract/errors.ts';
import type { Job } from '../shared/contract/job.ts';
import type { StreamEvent, SubscribeOptions } from '../shared/contract/stream.ts';
import { isOutcome, isResult } from '../shared/contract/words.ts';
import { restOfStream } from '../shared/runtime/rest-of-stream.ts';
import { type Batch, readAllBatches, readBatches } from '../shared/store/events.ts';
import type { Lane } from '../shared/store/lane.ts';
import { Bell } from './bell.ts';
import { responseBody, shownId } from './response-body.ts';

/** A message on a channel may be lost, so the store is read again this often without one. */
const REREAD_MS = 5000;
/** Events that were read longer ago are not shown before the status was read again. */
const FRESH_MS = 100;
/** How often a store that does not answer is asked again. */
const RETRY_MS = 500;

type Request = Record<string, unknown>;

/**
 * The events of a job, past and future, each once and in order, and a last one that says how the job ended. Readers pull, so
 * a slow one delays nobody else. After a cancel that won, only the last event follows (I1).
 */
export async function* subscribe(
  store: Lane,
  id: string,
  request: Request,
  { after, signal }: SubscribeOptions,
): AsyncGenerator<StreamEvent, void> {
  const reader = new Reader(store, id, signal);
  await reader.listen();
  try {
    const first = await reader.job();
    let cursor = after ?? -1;
    if (after === undefined) yield createdEvent(first, request);
    for (;;) {
      const page = await reader.page(cursor);
      if (page === 'decided') break;
      for (const event of page) {
        if (!(await reader.mayShow())) break;
        cursor = event.sequence_number;
        // The reader has had a created event from Headstone, since the job existed before the response.
        if (event.type !== 'response.created') yield shown(event, shownId(first), request);
      }
    }
    yield* await reader.patiently(() => ending(store, id, request, cursor));
  } finally {
    reader.close();
  }
}

class Reader {
  private readonly store: Lane;
  private readonly id: string;
  private readonly signal: AbortSignal | undefined;
  private readonly bell = new Bell();
  private readonly ring = () => this.bell.ring();
  private stops: (() => void)[] = [];
  private mayBeDecided = true;
  private readAt = 0;

  constructor(store: Lane, id: string, signal: AbortSignal | undefined) {
    this.store = store;
    this.id = id;
    this.signal = signal;
  }

  async listen(): Promise<void> {
    this.signal?.addEventListener('abort', this.ring);
    this.store.closing.addEventListener('abort', this.ring);
    // If the store is away, the first read explains it better.
    const listening = await Promise.allSettled([
      this.store.decisions.listen(message => {
        if (message !== null && message.id !== this.id) return;
        this.mayBeDecided = true;
        this.ring();
      }),
      this.store.streamed.listen(id => {
        if (id === null || id === this.id) this.ring();
      }),
    ]);
    this.stops = listening.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
  }

  async job(): Promise<Job> {
    const job = await this.store.job(this.id);
    if (!job)
      throw new HeadstoneError(
        'job_not_found',
        `There is no job ${this.id}. It was never enqueued, or its record has expired.`,
      );
    return job;
  }

  /** The next events, as soon as there are any; `decided` once no more will come into the store. */
  async page(cursor: number): Promise<Batch['events'] | 'decided'> {
    let statusReadAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      this.throwIfEnded();
      try {
        const isDue = this.mayBeDecided || performance.now() - statusReadAt > REREAD_MS;
        // This is reset before the read, so that an outcome decided during the read rings again.
        this.mayBeDecided = false;
        const status = isDue ? await this.status() : 'running';
        // The events of a refused response are not read any more. Any other is read to its end.
        if (status === 'cancelled' || status === 'expired') return 'decided';
        if (isDue) statusReadAt = performance.now();
        const events = (await readBatches(this.store, this.id, cursor)).flatMap(batch => batch.events);
        this.readAt = performance.now();
        // Reading a page takes some milliseconds, and other readers have a turn before the next one (I9).
        await nextTurn();
        const fresh = events.filter(event => event.sequence_number > cursor);
        if (fresh.length > 0) return fresh;
        if (isOutcome(status)) return 'decided';
        await this.bell.heard(REREAD_MS);
      } catch (error) {
        // The job goes on meanwhile, so a lost store is waited for.
        if (!(error instanceof HeadstoneError && error.retryable)) throw error;
        await this.bell.heard(RETRY_MS);
        this.mayBeDecided = true;
      }
    }
  }

  /** Reads from the record of a job that has ended, and waits for a store that is away. */
  async patiently<Result>(read: () => Promise<Result>): Promise<Result> {
    for (;;) {
      this.throwIfEnded();
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof HeadstoneError && error.retryable)) throw error;
        await this.bell.heard(RETRY_MS);
      }
    }
  }

  /** False if an event that was read was refused since, or may have been. After a while the status alone is read again. */
  async mayShow(): Promise<boolean> {
    this.throwIfEnded();
    if (!this.mayBeDecided && performance.now() - this.readAt < FRESH_MS) return true;
    try {
      this.mayBeDecided = false;
      const readAt = performance.now();
      const status = await this.status();
      if (status === 'cancelled' || status === 'expired') this.mayBeDecided = true;
      else this.readAt = readAt;
    } catch (error) {
      this.mayBeDecided = true;
      if (!(error instanceof HeadstoneError && error.retryable)) throw error;
    }
    return !this.mayBeDecided;
  }

  close(): void {
    this.signal?.removeEventListener('abort', this.ring);
    this.store.closing.removeEventListener('abort', this.ring);
    for (const stop of this.stops) stop();
    this.bell.close();
  }

  private throwIfEnded(): void {
    this.signal?.throwIfAborted();
    this.store.closing.throwIfAborted();
  }

  private async status() {
    const status = await this.store.status(this.id);
    if (status === null) throw new HeadstoneError('job_not_found', `The record of job ${this.id} has expired.`);
    return status;
  }
}

/** The last events of a job that has ended: those that the stream did not send, and how it ended. */
async function ending(store: Lane, id: string, request: Request, cursor: number): Promise<StreamEvent[]> {
  const [record, job] = await Promise.all([store.record(id), store.job(id)]);
  if (!record || !job) throw new HeadstoneError('job_not_found', `The record of job ${id} has expired.`);
  if (job.outcome?.result === 'expired' || job.outcome?.result === 'deleted')
    throw new HeadstoneError('result_expired', `Job ${id} ended as ${job.status}, and its result is no longer kept.`);
  const last = Math.max(record.stream_last ?? 0, 0);
  const isWhole = !job.response || record.stream === 'done';
  const said = isWhole ? [] : (await readAllBatches(store, id)).flatMap(batch => batch.events);
  const rest = isWhole ? [] : restOfStream(said, job.response?.output);
  const events = rest.map((event, index) => ({ ...event, sequence_number: last + 1 + index }));
  return [...events, closingEvent(job, request, last + 1 + rest.length)].filter(
    event => event.sequence_number > cursor,
  );
}

function createdEvent(job: Job, request: Request): StreamEvent {
  const { response, ...open } = { ...job, outcome: null, status: 'queued' as const, launches: [] };
  const body = responseBody({ ...open, response: null, response_id: null, ledger: [], tombstone: null }, request);
  return { type: 'response.created', sequence_number: 0, response: body };
}

/**
 * The event that ends a stream. For a job without a result it is `response.failed`, with the status in the response. On no
 * other event do both plain iteration and the official client's stream() end cleanly (docs/decisions/0010).
 */
function closingEvent(job: Job, request: Request, sequenceNumber: number): StreamEvent {
  const type = isResult(job.status) ? `response.${job.status}` : 'response.failed';
  return { type, sequence_number: sequenceNumber, response: responseBody(job, request) };
}

/** An event under the id that readers know, without the metadata pair that Headstone added. */
function shown(event: Batch['events'][number], id: string, request: Request): StreamEvent {
  if (!event.response) return event;
  const { metadata, ...response } = event.response as {
    metadata?: Record<string, unknown> | null;
    previous_response_id?: unknown;
  };
  const { headstone, ...theirs } = metadata ?? {};
  const previous = request.previous_response_id ?? response.previous_response_id ?? null;
  return { ...event, response: { ...response, metadata: theirs, id, previous_response_id: previous } };
}
