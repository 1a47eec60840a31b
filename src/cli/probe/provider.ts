import { OpenAI } from 'openai';
import { callFailure } from '../../provider/call-failure.ts';
import { answerToFailedCreate } from '../../provider/refusal.ts';
import { type UpstreamResponse, upstreamResponseSchema } from '../../shared/contract/response.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';
import { ApiConnection } from '../client/api-connection.ts';

const LONGEST_MESSAGE = 200;

/** What came of one call. */
export interface Answered {
  /** 0 if no answer came. */
  httpStatus: number;
  /** Null if the body was no response. */
  response: UpstreamResponse | null;
  /** Null if the answer was no error. */
  error: ProviderError | null;
  /** After a create without a response: true if a response may still run and be billed. */
  mayRun: boolean;
}

export interface ProviderError {
  code: string | null;
  type: string | null;
  message: string;
}

/** The user's own provider. One call is one request. */
export class Provider {
  private readonly api: ApiConnection;

  constructor({ openaiApiKey, openaiBaseUrl }: Configuration) {
    this.api = new ApiConnection({ url: openaiBaseUrl, apiKey: openaiApiKey, retries: 0, isProvider: true });
  }

  create(request: object): Promise<Answered> {
    return answered(this.api.send('post', '/responses', request));
  }

  cancel(id: string): Promise<Answered> {
    return answered(this.api.send('post', `/responses/${encodeURIComponent(id)}/cancel`));
  }

  retrieve(id: string): Promise<Answered> {
    return answered(this.api.send('get', `/responses/${encodeURIComponent(id)}`));
  }
}

/** Turns an error of the provider into an answer too. */
async function answered(call: Promise<Response>): Promise<Answered> {
  let httpStatus = 0;
  try {
    const answer = await call;
    httpStatus = answer.status;
    const parsed = upstreamResponseSchema.safeParse(JSON.parse(await answer.text()));
    if (parsed.success) return { httpStatus, response: parsed.data, error: null, mayRun: false };
    return { httpStatus, response: null, error: said('The body is not a response.'), mayRun: true };
  } catch (error) {
    if (!(error instanceof OpenAI.APIError))
      return { httpStatus, response: null, error: said('The body is not JSON.'), mayRun: true };
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
