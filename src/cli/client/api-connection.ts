import { OpenAI } from 'openai';
import type { StreamEvent } from '../../shared/contract/stream.ts';

export type Query = Record<string, string | number | boolean | undefined>;

export interface ApiConnectionOptions {
  /** The base URL, with /v1. Default: OpenAI's. */
  url: string | undefined;
  apiKey: string | undefined;
  /** How often a call that failed for a passing reason is sent again. */
  retries: number;
  /** True for OpenAI itself: the organization and project of the environment are sent along. */
  isProvider?: boolean;
}

const CALL_MS = 30_000;

/** An API in OpenAI's shape, called by the openai client. Its methods throw that client's errors. */
export class ApiConnection {
  private readonly client: OpenAI;

  constructor({ url, apiKey = 'none', retries, isProvider = false }: ApiConnectionOptions) {
    this.client = new OpenAI({
      baseURL: url,
      apiKey,
      maxRetries: retries,
      timeout: CALL_MS,
      logLevel: 'off',
      // A redirect of a Headstone server is an error, because a 301 or 302 would turn a POST into a GET.
      ...(isProvider
        ? {}
        : { adminAPIKey: null, organization: null, project: null, fetchOptions: { redirect: 'manual' } }),
    });
  }

  async get(path: string, query: Query = {}): Promise<unknown> {
    return await this.client.get(path, { query: given(query) });
  }

  async post(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<unknown> {
    return await this.client.post(path, { body, headers });
  }

  async delete(path: string): Promise<unknown> {
    return await this.client.delete(path);
  }

  /** The whole HTTP answer, with its body unread. */
  async send(method: 'get' | 'post', path: string, body?: object): Promise<Response> {
    return await this.client[method](path, body ? { body } : {}).asResponse();
  }

  /** The events of a stream, until the server ends it or the connection breaks. Throws the signal's reason if it is aborted. */
  async *events(path: string, query: Query, signal: AbortSignal | undefined): AsyncGenerator<StreamEvent, void> {
    const events = (await this.client.get(path, {
      query: given(query),
      stream: true,
      signal,
    })) as AsyncIterable<StreamEvent>;
    yield* events;
    // The client ends its loop without an error when the signal is aborted.
    signal?.throwIfAborted();
  }
}

function given(query: Query): Record<string, string | number | boolean> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Record<
    string,
    string | number | boolean
  >;
}
