import { HeadstoneError } from '../shared/contract/errors.ts';
import type { Job } from '../shared/contract/job.ts';
import type { StreamEvent, SubscribeOptions } from '../shared/contract/stream.ts';
import { isOutcome, isResult } from '../shared/contract/words.ts';
import { restOfStream } from '../shared/runtime/rest-of-stream.ts';
import { type Batch, readAllBatches, readBatches } from '../shared/store/events.ts';
import type { Store } from '../shared/store/store.ts';
import { Bell } from './bell.ts';
import { responseBody, shownId } from './response-body.ts';

/** A message on a channel can be lost; the store is read again this often without one, and before older events go out. */
const REREAD_MS = 5000;
const FRESH_MS = 100;
/** While the store does not answer. */
const RETRY_MS = 500;

type Request = Record<string, unknown>;

/**
 * The events of a job: what was, then what comes, each once and in order, and a last one that says how it ended. A
 * reader pulls: a slow one is behind, and nobody else is. After a cancel that won nothing follows but the last event (I1).
 */
export async function* subscribe(
  store: Store,
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
        if (!reader.mayShow()) break;
        cursor = event.sequence_number;
        // Ours came first: its reader knew the job before the provider did.
        if (event.type !== 'response.created') yield shown(event, shownId(first), request);
      }
    }
    yield* await reader.patiently(() => ending(store, id, request, cursor));
  } finally {
    reader.close();
  }
}

class Reader {
  private readonly store: Store;
  private readonly id: string;
  private readonly signal: AbortSignal | undefined;
  private readonly bell = new Bell();
  private readonly ring = () => this.bell.ring();
  private stops: (() => void)[] = [];
  private mayBeDecided = true;
  private readAt = 0;

  constructor(store: Store, id: string, signal: AbortSignal | undefined) {
    this.store = store;
    this.id = id;
    this.signal = signal;
  }

  async listen(): Promise<void> {
    this.signal?.addEventListener('abort', this.ring);
    this.store.closing.addEventListener('abort', this.ring);
    // With the store away the first read says so, and better.
    this.stops = await Promise.all([
      this.store.decisions.listen(message => {
        if (message !== null && message.id !== this.id) return;
        this.mayBeDecided = true;
        this.ring();
      }),
      this.store.streamed.listen(id => {
        if (id === null || id === this.id) this.ring();
      }),
    ]).catch(() => []);
  }

  async job(): Promise<Job> {
    const job = await this.store.job(this.id);
    if (!job)
      throw new HeadstoneError(
        'job_not_found',
        `There is no job ${this.id}: it was never enqueued, or its record has expired.`,
      );
    return job;
  }

  /** The next events, as soon as there are any; `decided` when no more will come into the store. */
  async page(cursor: number): Promise<Batch['events'] | 'decided'> {
    let lastLook = Number.NEGATIVE_INFINITY;
    for (;;) {
      this.throwIfEnded();
      try {
        const look = this.mayBeDecided || performance.now() - lastLook > REREAD_MS;
        // Before the look: what is decided during it rings again.
        this.mayBeDecided = false;
        const status = look ? await this.status() : 'running';
        // What was refused is not read any more; what ended otherwise is read to its end.
        if (status === 'cancelled' || status === 'expired') return 'decided';
        if (look) lastLook = performance.now();
        const events = (await readBatches(this.store, this.id, cursor)).flatMap(batch => batch.events);
        this.readAt = performance.now();
        const fresh = events.filter(event => event.sequence_number > cursor);
        if (fresh.length > 0) return fresh;
        if (isOutcome(status)) return 'decided';
        await this.bell.heard(REREAD_MS);
      } catch (error) {
        // The job goes on without us, so a lost store is waited for.
        if (!(error instanceof HeadstoneError && error.retryable)) throw error;
        await this.bell.heard(RETRY_MS);
        this.mayBeDecided = true;
      }
    }
  }

  /** The job has ended and its record waits for us: so do we, for a store that is away. */
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

  /** False where an event that was read may have been refused since. */
  mayShow(): boolean {
    this.throwIfEnded();
    return !this.mayBeDecided && performance.now() - this.readAt < FRESH_MS;
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

/** What is left to say when the job has ended: what the stream did not say, and how it ended. */
async function ending(store: Store, id: string, request: Request, cursor: number): Promise<StreamEvent[]> {
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
 * Of a job without a result this is `response.failed`, with its status in the response: tried with the official client,
 * the one shape on which both plain iteration and its stream() end cleanly (docs/decisions/0010).
 */
function closingEvent(job: Job, request: Request, sequenceNumber: number): StreamEvent {
  const type = isResult(job.status) ? `response.${job.status}` : 'response.failed';
  return { type, sequence_number: sequenceNumber, response: responseBody(job, request) };
}

/** Under the id that readers know, and without the metadata pair that we added. */
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
