import { OpenAI } from 'openai';
import { type UpstreamResponse, upstreamResponseSchema } from '../../shared/contract/response.ts';
import type { Configuration } from '../../shared/runtime/settings.ts';

const CALL_MS = 30_000;

/** What one call came back with: its HTTP status, and its body where it was a response. */
export interface Answered {
  httpStatus: number;
  response: UpstreamResponse | null;
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

/** An error of the provider is an answer too. Status 0: there was none. */
async function answered(call: Promise<Response>): Promise<Answered> {
  try {
    const answer = await call;
    const parsed = upstreamResponseSchema.safeParse(JSON.parse(await answer.text()));
    return { httpStatus: answer.status, response: parsed.data ?? null };
  } catch (error) {
    return { httpStatus: error instanceof OpenAI.APIError ? (error.status ?? 0) : 0, response: null };
  }
}
