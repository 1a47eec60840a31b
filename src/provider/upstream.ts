import { type ClientOptions, OpenAI } from 'openai';
import { type UpstreamResponse, upstreamResponseSchema } from '../shared/contract/response.ts';
import { readBounded, sniff } from './answer-body.ts';
import type { CancelAnswer, LaunchAnswer, RetrieveAnswer, StreamAnswer, Upstream } from './answers.ts';
import { callFailure, errorBodyOf, errorTextOf, LONGEST_MESSAGE, rememberErrorBodies } from './call-failure.ts';
import { type Answer, directCalls, isPlainClient, sdkCalls } from './calls.ts';
import { leanFetch } from './lean-fetch.ts';
import { answerToFailedCreate, retryAfterMs } from './refusal.ts';
import { untilId } from './until-id.ts';
import { openStream, servedModelOf } from './upstream-stream.ts';
import { withTimeout } from './with-timeout.ts';

export interface UpstreamOptions {
  /** The options of `new OpenAI(…)`, or a client that the app has. */
  openai: ClientOptions | OpenAI;
  /** How long a create may take, in milliseconds. */
  launchTimeoutMs: number;
}

const READ_TIMEOUT_MS = 30_000;
/** Less than the follower of a stream may be silent. */
const RESUME_TIMEOUT_MS = 5000;

/** More than any result that a store should hold. A body that is longer, or unpacks to more, is not read to its end. */
const MOST_BODY_BYTES = 64_000_000;

const jsonHeaders = { 'content-type': 'application/json' };

/** Knows a client by its shape, because `instanceof` knows only one copy of the package, and apps may have another. */
function isClient(openai: ClientOptions | OpenAI): openai is OpenAI {
  const shape = openai as Partial<OpenAI>;
  return [shape.withOptions, shape.get, shape.post].every(method => typeof method === 'function');
}

/** Opens the one door to the provider. Nothing behind it throws: every end of a call is a value. */
export function openUpstream({ openai, launchTimeoutMs }: UpstreamOptions): Upstream {
  const client = quietClient(isClient(openai) ? openai : new OpenAI(openai));
  const send = !isClient(openai) && isPlainClient(openai) ? directCalls(client) : sdkCalls(client);

  async function create(body: string, model: string): Promise<LaunchAnswer> {
    try {
      return await withTimeout(launchTimeoutMs, async signal => {
        const call = { method: 'post', path: '/responses', body, timeoutMs: launchTimeoutMs, signal } as const;
        return await launchAnswerIn(await send(call));
      });
    } catch (error) {
      return failedCreate(error, model);
    }
  }

  async function createStream(body: string, model: string): Promise<LaunchAnswer> {
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
        // A gateway that does not stream answers with a response, whose id is as good.
        if (!sniffed.isEventStream) return await launchAnswerIn(sniffed.answer);
        clearTimeout(giveUp);
        return await untilId(openStream(sniffed.answer, connection, client), launchTimeoutMs);
      } finally {
        clearTimeout(giveUp);
      }
    } catch (error) {
      // It was silent for too long, and the response may run.
      if (connection.signal.aborted) return { kind: 'unknown', code: 'timeout', httpStatus: 200 };
      return failedCreate(error, model);
    }
  }

  async function resumeStream(responseId: string, after: number, include: string[]): Promise<StreamAnswer> {
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
      // By its content type it is a stream, which may be silent until there is more to send.
      if (isNamedStream(answer)) return { kind: 'opened', stream: openStream(answer, connection, client) };
      const giveUp = setTimeout(() => connection.abort(), RESUME_TIMEOUT_MS);
      const sniffed = await sniff(answer).finally(() => clearTimeout(giveUp));
      if (sniffed.isEventStream) return { kind: 'opened', stream: openStream(sniffed.answer, connection, client) };
      connection.abort();
      return { kind: 'refused', code: 'no_stream' };
    } catch (error) {
      const { status } = callFailure(error);
      if (mayBeTheInclude(status, include)) return await resumeStream(responseId, after, []);
      // Users report a 400 after five minutes, while the plain GET still works. A 404 may pass.
      return status === 400 || status === 405 || status === 422
        ? { kind: 'refused', code: `http_${status}` }
        : { kind: 'failed', code: failure(error).code };
    }
  }

  async function retrieve(
    responseId: string,
    { signal: outer, include }: { signal: AbortSignal; include: string[] },
  ): Promise<RetrieveAnswer> {
    const read = async (signal: AbortSignal): Promise<RetrieveAnswer> => {
      const query = queryOf(include);
      const answer = await send({ method: 'get', path: path(responseId), query, timeoutMs: READ_TIMEOUT_MS, signal });
      const body = parseBody(await readBounded(answer, MOST_BODY_BYTES));
      if (!body) return { kind: 'failed', code: 'malformed_answer', retryAfterMs: undefined };
      return { kind: 'found', ...body, servedModel: servedModelOf(answer) };
    };
    try {
      return await withTimeout(READ_TIMEOUT_MS, read, outer);
    } catch (error) {
      const { status } = callFailure(error);
      // Extra fields that a reader wants must not keep the response itself from being read.
      if (mayBeTheInclude(status, include)) return await retrieve(responseId, { signal: outer, include: [] });
      return status === 404 ? { kind: 'absent' } : failure(error);
    }
  }

  async function cancel(responseId: string): Promise<CancelAnswer> {
    try {
      return await withTimeout(READ_TIMEOUT_MS, async signal => {
        const cancelPath = `${path(responseId)}/cancel`;
        const answer = await send({ method: 'post', path: cancelPath, timeoutMs: READ_TIMEOUT_MS, signal });
        return {
          kind: 'acknowledged',
          response: parseBody(await readBounded(answer, MOST_BODY_BYTES))?.response ?? null,
          servedModel: servedModelOf(answer),
        };
      });
    } catch (error) {
      // Users report 400 "Cannot cancel a completed response". Compatible servers answer 409.
      const { status } = callFailure(error);
      return status === 400 || status === 409 ? { kind: 'too_late' } : failure(error);
    }
  }

  return { create, createStream, resumeStream, retrieve, cancel };
}

/** By itself the SDK sends a create up to three times, each of them billed (I6), and its debug log prints prompts (I13). */
function quietClient(given: OpenAI): OpenAI {
  const options = { maxRetries: 0, logLevel: 'off' } as const;
  const { fetch: ownFetch } = given as unknown as { fetch?: typeof fetch };
  try {
    const used = ownFetch === globalThis.fetch ? leanFetch : ownFetch;
    return given.withOptions({ ...options, ...(used ? { fetch: rememberErrorBodies(used) } : {}) });
  } catch {
    // A client that signs in by X.509 refuses another fetch. Its errors are read only as far as the SDK reads them.
    return given.withOptions(options);
  }
}

/** Some gateways answer a failed run with a 4xx and the whole response: that run was billed. */
function failedCreate(error: unknown, model: string): LaunchAnswer {
  const failure = callFailure(error);
  const body = parseBody(errorBodyOf(failure.headers) ?? null);
  if (body && body.response.object === 'response')
    return { kind: 'acknowledged', ...body, servedModel: failure.headers?.get('x-ms-served-model') ?? undefined };
  return answerToFailedCreate(failure, model);
}

function isNamedStream(answer: Response): boolean {
  return /^\s*text\/event-stream/i.test(answer.headers.get('content-type') ?? '');
}

/** True if `include` may have caused the error: it names a field that is unknown there, or makes the URL too long. */
function mayBeTheInclude(status: number | null, include: string[]): boolean {
  return include.length > 0 && status !== null && [400, 414, 422, 431].includes(status);
}

/** A body without an id is `unknown`: the response runs, and nobody can say which one it is. */
async function launchAnswerIn(answer: Answer): Promise<LaunchAnswer> {
  const text = await readBounded(answer, MOST_BODY_BYTES);
  const body = parseBody(text);
  if (body) return { kind: 'acknowledged', ...body, servedModel: servedModelOf(answer) };
  const message = errorTextOf(text)?.slice(0, LONGEST_MESSAGE);
  return { kind: 'unknown', code: 'malformed_answer', httpStatus: answer.status, message };
}

/** Each read has to ask again for the fields that the create included, except for one that a read may not ask for. */
function queryOf(include: string[]): { include?: string[] } {
  const wanted = include.filter(field => field !== 'reasoning.encrypted_content');
  return wanted.length > 0 ? { include: wanted } : {};
}

/** An id of dots would lead to another path, however it is written. The schema of an id refuses those. */
function path(responseId: string): string {
  return `/responses/${encodeURIComponent(responseId)}`;
}

interface Body {
  response: UpstreamResponse;
  /** The body as it was sent, which a result keeps. */
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

function failure(error: unknown): { kind: 'failed'; code: string; retryAfterMs: number | undefined } {
  const { status, headers } = callFailure(error);
  return {
    kind: 'failed',
    code: status === null ? 'no_answer' : `http_${status}`,
    retryAfterMs: retryAfterMs(headers),
  };
}
