import { type ClientOptions, OpenAI } from 'openai';
import { Stream } from 'openai/streaming';
import { type UpstreamResponse, upstreamResponseSchema } from '../shared/contract/response.ts';
import { streamEventSchema, type UpstreamEvent } from '../shared/contract/stream.ts';
import type { CallFailure, LaunchAnswer, Upstream } from './answers.ts';
import { answerToFailedCreate, retryAfterMs } from './refusal.ts';
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

/** The one door to the provider. Nothing behind it throws: every way that a call can end is a value. */
export function openUpstream({ openai, launchTimeoutMs }: UpstreamOptions): Upstream {
  const given = openai instanceof OpenAI ? openai : new OpenAI(openai);
  // The SDK would send a create up to three times, each billed (I6), and its debug log would print prompts (I13).
  const client = given.withOptions({ maxRetries: 0, logLevel: 'off' });

  return {
    async create(request) {
      try {
        const answer = await client
          .post('/responses', {
            body: request,
            timeout: launchTimeoutMs,
            maxRetries: 0,
            signal: AbortSignal.timeout(launchTimeoutMs),
          })
          .asResponse();
        const body = parseBody(await answer.text());
        // A body without an id: the response runs, and nobody can say which it is.
        if (!body) return { kind: 'unknown', code: 'malformed_answer' };
        return { kind: 'launched', ...body, servedModel: servedModelOf(answer) };
      } catch (error) {
        return answerToFailedCreate(callFailure(error));
      }
    },

    async createStream(request) {
      const connection = new AbortController();
      try {
        const answer = await client
          .post('/responses', {
            body: { ...request, stream: true },
            headers: { accept: 'text/event-stream' },
            timeout: launchTimeoutMs,
            maxRetries: 0,
            signal: connection.signal,
          })
          .asResponse();
        if (isEventStream(answer)) return await untilId(openStream(answer, connection), launchTimeoutMs);
        // A clone that knows no streams answers as ever, and its id is worth the same.
        const giveUp = setTimeout(() => connection.abort(), launchTimeoutMs);
        const body = parseBody(await answer.text().finally(() => clearTimeout(giveUp)));
        if (!body) return { kind: 'unknown', code: 'malformed_answer' };
        return { kind: 'launched', response: body.response, servedModel: servedModelOf(answer) };
      } catch (error) {
        return answerToFailedCreate(callFailure(error));
      }
    },

    async resumeStream(responseId, after) {
      const connection = new AbortController();
      try {
        const answer = await client
          .get(path(responseId), {
            query: { stream: true, ...(after < 0 ? {} : { starting_after: after }) },
            headers: { accept: 'text/event-stream' },
            timeout: RESUME_TIMEOUT_MS,
            maxRetries: 0,
            signal: connection.signal,
          })
          .asResponse();
        if (isEventStream(answer)) return { kind: 'opened', stream: openStream(answer, connection) };
        connection.abort();
        return { kind: 'refused', code: 'no_stream' };
      } catch (error) {
        const status = statusOf(error);
        // 400 after five minutes, as reported, while the plain GET still works. A 404 may pass.
        return status === 400 || status === 405 || status === 422
          ? { kind: 'refused', code: `http_${status}` }
          : { kind: 'failed', code: failure(error).code };
      }
    },

    async retrieve(responseId, signal) {
      try {
        const answer = await client
          .get(path(responseId), {
            timeout: READ_TIMEOUT_MS,
            maxRetries: 0,
            signal: AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS)]),
          })
          .asResponse();
        const body = parseBody(await answer.text());
        if (!body) return { kind: 'failed', code: 'malformed_answer', retryAfterMs: undefined };
        return { kind: 'seen', ...body, servedModel: servedModelOf(answer) };
      } catch (error) {
        return statusOf(error) === 404 ? { kind: 'absent' } : failure(error);
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
          response: parseBody(await answer.text())?.response ?? null,
          servedModel: servedModelOf(answer),
        };
      } catch (error) {
        // 400 "Cannot cancel a completed response", as reported; clones answer 409.
        const status = statusOf(error);
        return status === 400 || status === 409 ? { kind: 'too_late' } : failure(error);
      }
    },
  };
}

function isEventStream(answer: Response): boolean {
  return (answer.headers.get('content-type') ?? '').includes('text/event-stream');
}

/** The SDK's reading of server-sent events; what is no event is passed over. */
function openStream(answer: Response, connection: AbortController): UpstreamStream {
  const stream = Stream.fromSSEResponse<unknown>(answer, connection);
  return new UpstreamStream(eventsOf(stream), () => connection.abort(), servedModelOf(answer));
}

async function* eventsOf(stream: AsyncIterable<unknown>): AsyncGenerator<UpstreamEvent, void> {
  for await (const raw of stream) {
    const parsed = streamEventSchema.safeParse(raw);
    if (parsed.success) yield parsed.data;
  }
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
    heardBefore.push(heard.event);
    const parsed = upstreamResponseSchema.safeParse(heard.event.response);
    if (!parsed.success) continue;
    stream.putBack(heardBefore);
    return { kind: 'launched', response: parsed.data, servedModel: stream.servedModel, stream };
  }
  stream.close();
  return { kind: 'unknown', code: 'stream_without_id' };
}

function path(responseId: string): string {
  return `/responses/${encodeURIComponent(responseId)}`;
}

interface Body {
  response: UpstreamResponse;
  /** As it came: what a result keeps. */
  raw: Record<string, unknown>;
}

/** Null for what is not a response: HTML, JSON cut short, a body without an id. */
function parseBody(text: string): Body | null {
  try {
    const raw: unknown = JSON.parse(text);
    const parsed = upstreamResponseSchema.safeParse(raw);
    return parsed.success ? { response: parsed.data, raw: raw as Record<string, unknown> } : null;
  } catch {
    return null;
  }
}

function servedModelOf(answer: Response): string | undefined {
  return answer.headers.get('x-ms-served-model') ?? undefined;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof OpenAI.APIError ? error.status : undefined;
}

function failure(error: unknown): { kind: 'failed'; code: string; retryAfterMs: number | undefined } {
  const { status, headers } = callFailure(error);
  return {
    kind: 'failed',
    code: status === null ? 'no_answer' : `http_${status}`,
    retryAfterMs: retryAfterMs(headers),
  };
}

/** The SDK's errors as plain facts. Its messages may quote the prompt, so only the upstream's own error body is kept. */
export function callFailure(error: unknown): CallFailure {
  const timedOut = error instanceof OpenAI.APIUserAbortError || error instanceof OpenAI.APIConnectionTimeoutError;
  const given: Partial<InstanceType<typeof OpenAI.APIError>> = error instanceof OpenAI.APIError ? error : {};
  const message = (given.error as { message?: unknown } | undefined)?.message;
  const cause = connectionError(given.cause);
  return {
    status: given.status ?? null,
    code: given.code ?? null,
    type: given.type ?? null,
    param: given.param ?? null,
    message: typeof message === 'string' ? message : null,
    headers: given.headers,
    connectionCode: cause?.code ?? null,
    // Linux tells a soft error of an established connection by the same codes as one of a connection that never stood.
    stoodBefore: cause?.syscall === 'read' || cause?.syscall === 'write',
    timedOut,
  };
}

/** Node's own error for why a connection failed, from the depth where `fetch` puts it. */
function connectionError(cause: unknown): NodeJS.ErrnoException | null {
  for (let error = cause; error instanceof Error; error = error.cause)
    if ((error as NodeJS.ErrnoException).code !== undefined) return error;
  return null;
}
