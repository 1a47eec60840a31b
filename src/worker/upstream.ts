import { type ClientOptions, OpenAI } from 'openai';
import { Stream } from 'openai/streaming';
import { type UpstreamResponse, upstreamResponseSchema } from '../shared/contract/response.ts';
import { streamEventSchema, type UpstreamEvent } from '../shared/contract/stream.ts';
import type { LaunchAnswer, Look, StreamAnswer, Upstream } from './answers.ts';
import { readBounded } from './bounded-body.ts';
import { withBoundLines } from './bounded-lines.ts';
import { callFailure } from './call-failure.ts';
import { errorBodyOf, errorTextIn, rememberErrorBodies } from './error-bodies.ts';
import { answerToFailedCreate, retryAfterMs } from './refusal.ts';
import { sniff } from './sniff.ts';
import { UpstreamStream } from './upstream-stream.ts';

export interface UpstreamOptions {
  /** As `new OpenAI(…)` takes them, or a client that the app already has. */
  openai: ClientOptions | OpenAI;
  /** For a create. */
  launchTimeoutMs: number;
}

const READ_TIMEOUT_MS = 30_000;
/** Less than the holder of a stream may be silent. */
const RESUME_TIMEOUT_MS = 5000;
const LONGEST_WITHOUT_ID_MS = 600_000;
const LONGEST_MESSAGE = 500;

/** Larger than any result that a store should hold. A longer body, or one that unpacks to more, is not read to its end. */
const MOST_BODY_BYTES = 64_000_000;

/** A client by its shape: `instanceof` knows one copy of the package alone, and apps may have another, or a CommonJS one. */
export function isClient(openai: ClientOptions | OpenAI): openai is OpenAI {
  const shape = openai as Partial<OpenAI>;
  return [shape.withOptions, shape.get, shape.post].every(method => typeof method === 'function');
}

/** The one door to the provider. Nothing behind it throws: every way that a call can end is a value. */
export function openUpstream({ openai, launchTimeoutMs }: UpstreamOptions): Upstream {
  const client = ourClient(isClient(openai) ? openai : new OpenAI(openai));

  return {
    async create(body, model) {
      const signal = AbortSignal.timeout(launchTimeoutMs);
      try {
        const answer = await client
          .post('/responses', { body, headers: jsonHeaders, timeout: launchTimeoutMs, maxRetries: 0, signal })
          .asResponse();
        return await launchedBy(answer);
      } catch (error) {
        return failedCreate(error, model);
      }
    },

    async createStream(body, model) {
      const connection = new AbortController();
      try {
        const answer = await client
          .post('/responses', {
            body,
            headers: { ...jsonHeaders, accept: 'text/event-stream' },
            timeout: launchTimeoutMs,
            maxRetries: 0,
            signal: connection.signal,
          })
          .asResponse();
        const giveUp = setTimeout(() => connection.abort(), launchTimeoutMs);
        try {
          const sniffed = await sniff(answer);
          // A clone that knows no streams answers as ever, and its id is worth the same.
          if (!sniffed.isEventStream) return await launchedBy(sniffed.answer);
          clearTimeout(giveUp);
          return await untilId(openStream(sniffed.answer, connection, client), launchTimeoutMs);
        } finally {
          clearTimeout(giveUp);
        }
      } catch (error) {
        // Given up while it was silent: it may run.
        if (connection.signal.aborted) return { kind: 'unknown', code: 'timeout', httpStatus: 200 };
        return failedCreate(error, model);
      }
    },

    async resumeStream(responseId, after, include): Promise<StreamAnswer> {
      const connection = new AbortController();
      try {
        const answer = await client
          .get(path(responseId), {
            query: { stream: true, ...(after < 0 ? {} : { starting_after: after }), ...queryOf(include) },
            headers: { accept: 'text/event-stream' },
            timeout: RESUME_TIMEOUT_MS,
            maxRetries: 0,
            signal: connection.signal,
          })
          .asResponse();
        // A stream that is named one may be silent until there is more to tell.
        if (isNamedStream(answer)) return { kind: 'opened', stream: openStream(answer, connection, client) };
        const giveUp = setTimeout(() => connection.abort(), RESUME_TIMEOUT_MS);
        const sniffed = await sniff(answer).finally(() => clearTimeout(giveUp));
        if (sniffed.isEventStream) return { kind: 'opened', stream: openStream(sniffed.answer, connection, client) };
        connection.abort();
        return { kind: 'refused', code: 'no_stream' };
      } catch (error) {
        const { status } = callFailure(error);
        if (mayBeTheInclude(status, include)) return await this.resumeStream(responseId, after, []);
        // 400 after five minutes, as reported, while the plain GET still works. A 404 may pass.
        return status === 400 || status === 405 || status === 422
          ? { kind: 'refused', code: `http_${status}` }
          : { kind: 'failed', code: failure(error).code };
      }
    },

    async retrieve(responseId, { signal, include }): Promise<Look> {
      try {
        const answer = await client
          .get(path(responseId), {
            query: queryOf(include),
            timeout: READ_TIMEOUT_MS,
            maxRetries: 0,
            signal: AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS)]),
          })
          .asResponse();
        const body = parseBody(await readBounded(answer, MOST_BODY_BYTES));
        if (!body) return { kind: 'failed', code: 'malformed_answer', retryAfterMs: undefined };
        return { kind: 'seen', ...body, servedModel: servedModelOf(answer) };
      } catch (error) {
        const { status } = callFailure(error);
        // What a reader wants to see besides must not keep the response itself from being seen.
        if (mayBeTheInclude(status, include)) return await this.retrieve(responseId, { signal, include: [] });
        return status === 404 ? { kind: 'absent' } : failure(error);
      }
    },

    async cancel(responseId) {
      try {
        const answer = await client
          .post(`${path(responseId)}/cancel`, {
            timeout: READ_TIMEOUT_MS,
            maxRetries: 0,
            signal: AbortSignal.timeout(READ_TIMEOUT_MS),
          })
          .asResponse();
        return {
          kind: 'acknowledged',
          response: parseBody(await readBounded(answer, MOST_BODY_BYTES))?.response ?? null,
          servedModel: servedModelOf(answer),
        };
      } catch (error) {
        // 400 "Cannot cancel a completed response", as reported; clones answer 409.
        const { status } = callFailure(error);
        return status === 400 || status === 409 ? { kind: 'too_late' } : failure(error);
      }
    },
  };
}

/** The SDK would send a create up to three times, each billed (I6), and its debug log would print prompts (I13). */
function ourClient(given: OpenAI): OpenAI {
  const options = { maxRetries: 0, logLevel: 'off' } as const;
  const { fetch: ownFetch } = given as unknown as { fetch?: typeof fetch };
  try {
    return given.withOptions({ ...options, ...(ownFetch ? { fetch: rememberErrorBodies(ownFetch) } : {}) });
  } catch {
    // A client that signs in by X.509 keeps its own way: its errors are read as far as the SDK reads them.
    return given.withOptions(options);
  }
}

/** A whole response in an error's body has run, and was billed: some gateways answer a failed run with a 4xx. */
function failedCreate(error: unknown, model: string): LaunchAnswer {
  const failure = callFailure(error);
  const body = parseBody(errorBodyOf(failure.headers) ?? null);
  if (body && body.response.object === 'response')
    return { kind: 'launched', ...body, servedModel: failure.headers?.get('x-ms-served-model') ?? undefined };
  return answerToFailedCreate(failure, model);
}

function isNamedStream(answer: Response): boolean {
  return /^\s*text\/event-stream/i.test(answer.headers.get('content-type') ?? '');
}

/** Statuses of a read that the fields which were asked for besides can cause: unknown ones, or a URL too long. */
function mayBeTheInclude(status: number | null, include: string[]): boolean {
  return include.length > 0 && status !== null && [400, 414, 422, 431].includes(status);
}

const jsonHeaders = { 'content-type': 'application/json' };

/** A body without an id: the response runs, and nobody can say which it is. */
async function launchedBy(answer: Response): Promise<LaunchAnswer> {
  const text = await readBounded(answer, MOST_BODY_BYTES);
  const body = parseBody(text);
  if (body) return { kind: 'launched', ...body, servedModel: servedModelOf(answer) };
  const message = errorTextInText(text);
  return { kind: 'unknown', code: 'malformed_answer', httpStatus: answer.status, ...(message ? { message } : {}) };
}

function errorTextInText(text: string | null): string | null {
  try {
    return text === null ? null : (errorTextIn(JSON.parse(text))?.slice(0, LONGEST_MESSAGE) ?? null);
  } catch {
    return null;
  }
}

/** What the create asked to have included has to be asked for again at each read, but for what is refused there. */
function queryOf(include: string[]): { include?: string[] } {
  const wanted = include.filter(field => field !== 'reasoning.encrypted_content');
  return wanted.length > 0 ? { include: wanted } : {};
}

/** The SDK's reading of server-sent events; what is no event is passed over. */
function openStream(answer: Response, connection: AbortController, client: OpenAI): UpstreamStream {
  const stream = Stream.fromSSEResponse<NamedEvent>(withBoundLines(answer), connection, client, true, 'events');
  return new UpstreamStream(eventsOf(stream), () => connection.abort(), servedModelOf(answer));
}

interface NamedEvent {
  event: string | null;
  data: unknown;
}

async function* eventsOf(stream: AsyncIterable<NamedEvent>): AsyncGenerator<UpstreamEvent, void> {
  for await (const { event, data } of stream) {
    const parsed = streamEventSchema.safeParse(data);
    if (parsed.success) yield parsed.data;
    // A gateway's error has no type: it may be told by the name of the event alone, or by nothing but itself.
    else if (event === 'error' || hasError(data)) yield { type: 'error', ...objectOf(data) };
  }
}

function hasError(data: unknown): boolean {
  return Boolean((data as { error?: unknown } | null)?.error);
}

function objectOf(data: unknown): object {
  return typeof data === 'object' && data !== null ? data : { message: data };
}

/** Only keepalives may come for minutes before there is an id (reported); silence is waited for like any answer. */
async function untilId(stream: UpstreamStream, silenceMs: number): Promise<LaunchAnswer> {
  const heardBefore: UpstreamEvent[] = [];
  const givenUpAt = performance.now() + LONGEST_WITHOUT_ID_MS;
  while (performance.now() < givenUpAt) {
    const heard = await stream.next(silenceMs);
    if (heard.kind !== 'event') {
      stream.close();
      return { kind: 'unknown', code: `stream_${heard.kind}` };
    }
    if (heard.event.type === 'error') {
      stream.close();
      const message = errorTextIn(heard.event)?.slice(0, LONGEST_MESSAGE);
      return { kind: 'unknown', code: 'stream_error', httpStatus: 200, ...(message ? { message } : {}) };
    }
    heardBefore.push(heard.event);
    const parsed = upstreamResponseSchema.safeParse(heard.event.response);
    if (!parsed.success) continue;
    stream.putBack(heardBefore);
    return { kind: 'launched', response: parsed.data, servedModel: stream.servedModel, stream };
  }
  stream.close();
  return { kind: 'unknown', code: 'stream_without_id' };
}

/** Dots alone would lead to another path, however they are written; the schema of an id refuses those. */
function path(responseId: string): string {
  return `/responses/${encodeURIComponent(responseId)}`;
}

interface Body {
  response: UpstreamResponse;
  /** As it came: what a result keeps. */
  text: string;
}

/** Null for what is not a response: HTML, JSON cut short, a body without an id. */
function parseBody(text: string | null): Body | null {
  if (text === null) return null;
  try {
    const parsed = upstreamResponseSchema.safeParse(JSON.parse(text));
    return parsed.success ? { response: parsed.data, text } : null;
  } catch {
    return null;
  }
}

function servedModelOf(answer: Response): string | undefined {
  return answer.headers.get('x-ms-served-model') ?? undefined;
}

function failure(error: unknown): { kind: 'failed'; code: string; retryAfterMs: number | undefined } {
  const { status, headers } = callFailure(error);
  return {
    kind: 'failed',
    code: status === null ? 'no_answer' : `http_${status}`,
    retryAfterMs: retryAfterMs(headers),
  };
}
