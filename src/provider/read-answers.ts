import { type UpstreamResponse, upstreamResponseSchema } from '../shared/contract/response.ts';
import { isDeeper } from '../shared/runtime/measure-json.ts';
import type { LaunchAnswer } from './answers.ts';
import { callFailure, errorBodyOf, errorTextOf, LONGEST_MESSAGE } from './call-failure.ts';
import { type Answer, servedModelOf } from './calls.ts';
import { answerToFailedCreate, retryAfterMs } from './refusal.ts';

/** A body without an id is `unknown`: the response runs, and nobody can say which one it is. */
export function launchAnswerIn(answer: Answer): LaunchAnswer {
  const { text } = answer;
  const body = parseBody(text);
  if (body) return { kind: 'acknowledged', ...body, servedModel: servedModelOf(answer) };
  const message = errorTextOf(text)?.slice(0, LONGEST_MESSAGE);
  return { kind: 'unknown', code: 'malformed_answer', httpStatus: answer.status, message };
}

/** Some gateways answer a failed run with a 4xx and the whole response: that run was billed. */
export function failedCreate(error: unknown, model: string): LaunchAnswer {
  const failure = callFailure(error);
  const body = parseBody(errorBodyOf(failure.headers) ?? null);
  if (body && body.response.object === 'response')
    return { kind: 'acknowledged', ...body, servedModel: failure.headers?.get('x-ms-served-model') ?? undefined };
  return answerToFailedCreate(failure, model);
}

interface Body {
  response: UpstreamResponse;
  /** The body as it was sent, which a result keeps. */
  text: string;
}

/** Reading millions of levels takes a minute, during which nothing else is done. A shorter text has fewer. */
const MOST_NESTING = 100_000;
const MAY_BE_DEEP = 1_000_000;

/** Null for what is not a response: HTML, JSON cut short or without a bottom, a body without an id. */
export function parseBody(text: string | null): Body | null {
  if (text === null || (text.length > MAY_BE_DEEP && isDeeper(text, MOST_NESTING))) return null;
  try {
    const parsed = upstreamResponseSchema.safeParse(JSON.parse(text));
    return parsed.success ? { response: parsed.data, text } : null;
  } catch {
    return null;
  }
}

export function failure(error: unknown): { kind: 'failed'; code: string; retryAfterMs: number | undefined } {
  const { status, headers } = callFailure(error);
  return {
    kind: 'failed',
    code: status === null ? 'no_answer' : `http_${status}`,
    retryAfterMs: retryAfterMs(headers),
  };
}
