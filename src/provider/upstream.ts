import type { ClientOptions, OpenAI } from 'openai';
import type { CancelAnswer, LaunchAnswer, RetrieveAnswer, Upstream } from './answers.ts';
import { callFailure } from './call-failure.ts';
import { sdkCalls, servedModelOf } from './calls.ts';
import { directCalls, isPlain } from './direct-calls.ts';
import { mayBeTheInclude, pathOf, queryOf } from './paths.ts';
import { failedCreate, failure, launchAnswerIn, parseBody } from './read-answers.ts';
import { isClient, openClient } from './sdk-client.ts';
import { withTimeout } from './with-timeout.ts';

export interface UpstreamOptions {
  /** The options of `new OpenAI(…)`, or a client that the app has. */
  openai: ClientOptions | OpenAI;
  /** How long a create may take, in milliseconds. */
  launchTimeoutMs: number;
}

const READ_TIMEOUT_MS = 30_000;

/** Opens the one door to the provider. Nothing behind it throws: every end of a call is a value. Throws if the key is missing. */
export async function openUpstream({ openai, launchTimeoutMs }: UpstreamOptions): Promise<Upstream> {
  let client: Promise<OpenAI> | undefined;
  const sdk = () => {
    client ??= openClient(openai);
    return client;
  };
  const isLean = !isClient(openai) && isPlain(openai);
  if (!isLean) await sdk();
  const send = isLean ? directCalls(openai, sdkCalls(sdk)) : sdkCalls(sdk);

  async function streamed() {
    const { streamedCalls } = await import('./streamed-calls.ts');
    return streamedCalls(await sdk(), launchTimeoutMs);
  }

  async function create(body: string, model: string): Promise<LaunchAnswer> {
    try {
      return await withTimeout(launchTimeoutMs, async signal => {
        const call = { method: 'post', path: '/responses', body, signal } as const;
        return launchAnswerIn(await send(call));
      });
    } catch (error) {
      return failedCreate(error, model);
    }
  }

  async function retrieve(
    responseId: string,
    { signal: outer, include, own = [] }: { signal: AbortSignal; include: string[]; own?: string[] },
  ): Promise<RetrieveAnswer> {
    const read = async (signal: AbortSignal): Promise<RetrieveAnswer> => {
      const query = queryOf(include);
      const answer = await send({ method: 'get', path: pathOf(responseId), query, signal });
      const body = parseBody(answer.text);
      if (!body) return { kind: 'failed', code: 'malformed_answer', retryAfterMs: undefined };
      return { kind: 'found', ...body, servedModel: servedModelOf(answer) };
    };
    try {
      return await withTimeout(READ_TIMEOUT_MS, read, outer);
    } catch (error) {
      const { status } = callFailure(error);
      // Extra fields that a reader wants must not keep the response itself from being read.
      if (mayBeTheInclude(status, include))
        return await retrieve(responseId, { signal: outer, include: own.length < include.length ? own : [] });
      return status === 404 ? { kind: 'absent' } : failure(error);
    }
  }

  async function cancel(responseId: string): Promise<CancelAnswer> {
    try {
      return await withTimeout(READ_TIMEOUT_MS, async signal => {
        const cancelPath = `${pathOf(responseId)}/cancel`;
        const answer = await send({ method: 'post', path: cancelPath, signal });
        return {
          kind: 'acknowledged',
          response: parseBody(answer.text)?.response ?? null,
          servedModel: servedModelOf(answer),
        };
      });
    } catch (error) {
      // Users report 400 "Cannot cancel a completed response". Compatible servers answer 409.
      const { status } = callFailure(error);
      return status === 400 || status === 409 ? { kind: 'too_late' } : failure(error);
    }
  }

  return {
    create,
    createStream: async (body, model) => await (await streamed()).createStream(body, model),
    resumeStream: async (...given) => await (await streamed()).resumeStream(...given),
    retrieve,
    cancel,
  };
}
