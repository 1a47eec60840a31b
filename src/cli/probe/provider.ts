import { OpenAI } from 'openai';
import { type UpstreamResponse, upstreamResponseSchema } from '../../shared/contract/response.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import { callFailure } from '../../worker/call-failure.ts';
import { answerToFailedCreate } from '../../worker/refusal.ts';

const CALL_MS = 30_000;
const LONGEST_MESSAGE = 200;

/** What one call came back with. */
export interface Answered {
  /** 0: no answer came. */
  httpStatus: number;
  /** Null where the body was none. */
  response: UpstreamResponse | null;
  /** Null where the body told of none. */
  error: ProviderError | null;
  /** Of a create without a response: true where nobody can say that none runs and is billed. */
  mayRun: boolean;
}

export interface ProviderError {
  code: string | null;
  type: string | null;
  message: string;
}

/** The user's own provider, spoken to as plainly as possible: one call is one request. */
export class Provider {
  private readonly client: OpenAI;

  constructor({ openaiApiKey, openaiBaseUrl }: Configuration) {
    this.client = new OpenAI({
      apiKey: openaiApiKey ?? 'none',
      ...(openaiBaseUrl === undefined ? {} : { baseURL: openaiBaseUrl }),
      maxRetries: 0,
      timeout: CALL_MS,
      logLevel: 'off',
    });
  }

  create(request: object): Promise<Answered> {
    return answered(this.client.post('/responses', { body: request }).asResponse());
  }

  cancel(id: string): Promise<Answered> {
    return answered(this.client.post(`/responses/${encodeURIComponent(id)}/cancel`).asResponse());
  }

  retrieve(id: string): Promise<Answered> {
    return answered(this.client.get(`/responses/${encodeURIComponent(id)}`).asResponse());
  }
}

/** An error of the provider is an answer too. */
async function answered(call: Promise<Response>): Promise<Answered> {
  let httpStatus = 0;
  try {
    const answer = await call;
    httpStatus = answer.status;
    const parsed = upstreamResponseSchema.safeParse(JSON.parse(await answer.text()));
    if (parsed.success) return { httpStatus, response: parsed.data, error: null, mayRun: false };
    return { httpStatus, response: null, error: said('The body is no response.'), mayRun: true };
  } catch (error) {
    if (!(error instanceof OpenAI.APIError))
      return { httpStatus, response: null, error: said('The body is no JSON.'), mayRun: true };
    const { code = null, type = null } = error;
    // The client's own message begins with the status.
    const { message = error.message } = (error.error ?? {}) as { message?: string };
    const mayRun = answerToFailedCreate(callFailure(error), '').kind === 'unknown';
    return { httpStatus: error.status ?? 0, response: null, error: { ...said(message), code, type }, mayRun };
  }
}

function said(message: string): ProviderError {
  return { code: null, type: null, message: message.slice(0, LONGEST_MESSAGE) };
}
