import type { OpenAI } from 'openai';
import { Stream } from 'openai/streaming';
import { streamEventSchema, type UpstreamEvent } from '../shared/contract/stream.ts';
import { withBoundEvents } from './answer-body.ts';
import { servedModelOf } from './calls.ts';
import { startTimeout } from './with-timeout.ts';

/** So many in a row that are none of a response's events. */
const MOST_PASSED_OVER = 10_000;

/** What came of waiting for an event. `broken`: the connection broke, which says nothing about the response. */
export type Heard =
  | { kind: 'event'; event: UpstreamEvent }
  | { kind: 'silent' }
  | { kind: 'ended' }
  | { kind: 'broken'; code: string };

/** An open connection on which the provider sends a response's events. */
export class UpstreamStream {
  readonly servedModel: string | undefined;
  private readonly iterator: AsyncIterator<UpstreamEvent>;
  private readonly abort: () => void;
  private coming: Promise<Heard> | undefined;
  private wake: (() => void) | undefined;
  private returned: UpstreamEvent[] = [];

  constructor(events: AsyncIterable<UpstreamEvent>, abort: () => void, servedModel: string | undefined) {
    this.iterator = events[Symbol.asyncIterator]();
    this.abort = abort;
    this.servedModel = servedModel;
  }

  /** The next event; `silent` if none came within the time. The next call then waits for the same event. */
  async next(waitMs: number): Promise<Heard> {
    const event = this.returned.shift();
    if (event) return { kind: 'event', event };
    this.coming ??= this.hear();
    const { coming } = this;
    // Plain timers, because thousands of events a second would each leave an abort signal behind.
    return await new Promise<Heard>(resolve => {
      let isOver = false;
      const silent = () => {
        isOver = true;
        callOff();
        resolve({ kind: 'silent' });
      };
      const callOff = startTimeout(waitMs, silent);
      this.wake = silent;
      void coming.then(heard => {
        // An event that came just after the time is kept for the next call.
        if (isOver) return;
        callOff();
        this.coming = undefined;
        resolve(heard);
      });
    });
  }

  /** Ends the present wait as `silent`. */
  interrupt(): void {
    this.wake?.();
  }

  /** Returns events to the front of the stream, so that they are heard again. */
  putBack(events: UpstreamEvent[]): void {
    this.returned = [...events, ...this.returned];
  }

  /** Closes the connection. The response goes on running at the provider. */
  close(): void {
    this.abort();
  }

  private async hear(): Promise<Heard> {
    try {
      const { done, value } = await this.iterator.next();
      return done ? { kind: 'ended' } : { kind: 'event', event: value };
    } catch (error) {
      return { kind: 'broken', code: error instanceof Error ? error.name : 'unknown' };
    }
  }
}

/** Reads an answer's server-sent events by the SDK. What is not an event is passed over. */
export function openStream(answer: Response, connection: AbortController, client: OpenAI): UpstreamStream {
  const stream = Stream.fromSSEResponse<NamedEvent>(withBoundEvents(answer), connection, client, true, 'events');
  return new UpstreamStream(eventsOf(stream), () => connection.abort(), servedModelOf(answer));
}

interface NamedEvent {
  event: string | null;
  data: unknown;
}

async function* eventsOf(stream: AsyncIterable<NamedEvent>): AsyncGenerator<UpstreamEvent, void> {
  let passedOver = 0;
  for await (const { event, data } of stream) {
    const parsed = streamEventSchema.safeParse(data);
    passedOver += 1;
    // A gateway's error has no type. Either the event's name or the data itself shows that it is one.
    if (!parsed.success && event !== 'error' && !hasError(data)) {
      if (passedOver > MOST_PASSED_OVER) throw new Error('The stream has no events of a response.');
      continue;
    }
    passedOver = 0;
    yield parsed.success ? parsed.data : { type: 'error', ...objectOf(data) };
  }
}

function hasError(data: unknown): boolean {
  return Boolean((data as { error?: unknown } | null)?.error);
}

function objectOf(data: unknown): object {
  return typeof data === 'object' && data !== null ? data : { message: data };
}
