import { OpenAI } from 'openai';
import type { z } from 'zod';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { StreamEvent } from '../../shared/contract/stream.ts';
import { explainServerError } from './server-errors.ts';

type Query = Record<string, string | number | boolean | undefined>;

const CALL_MS = 30_000;

/** A Headstone server, spoken to by the openai client: it knows when to send again, and how to read events. */
export class ServerConnection {
  private readonly url: string;
  private readonly client: OpenAI;

  constructor(url: string, apiKey: string | undefined) {
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
      throw new HeadstoneError(
        'configuration',
        'HEADSTONE_API_KEY has a character that no key has: look at how it was set.',
      );
    this.url = baseUrl(url);
    this.client = new OpenAI({
      baseURL: `${this.url}/v1`,
      apiKey: apiKey ?? 'none',
      // These are for OpenAI, and nobody else's business.
      adminAPIKey: null,
      organization: null,
      project: null,
      timeout: CALL_MS,
      logLevel: 'off',
      // A POST that is sent on becomes a GET on the way.
      fetchOptions: { redirect: 'manual' },
    });
  }

  async get<Schema extends z.ZodType>(path: string, schema: Schema, query: Query = {}): Promise<z.output<Schema>> {
    return this.read(schema, await this.explained(this.client.get(path, { query: given(query) })));
  }

  /** May be sent again where the answer was lost: what it asks for must name itself. */
  async post<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    body: object = {},
    headers: Record<string, string> = {},
  ): Promise<z.output<Schema>> {
    return this.read(schema, await this.explained(this.client.post(path, { body, headers })));
  }

  async delete<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    return this.read(schema, await this.explained(this.client.delete(path)));
  }

  /** Asks for a stream and leaves it: that it began says that the request was accepted. */
  async begin(path: string, body: object): Promise<void> {
    const answer = await this.explained<Response>(this.client.post(path, { body }).asResponse());
    await answer.body?.cancel();
    if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) throw this.foreign();
  }

  /** The events of a response, until the server ends them or the connection breaks. */
  async *events(path: string, query: Query, signal: AbortSignal | undefined): AsyncGenerator<StreamEvent, void> {
    const options = { query: given(query), stream: true as const, ...(signal ? { signal } : {}) };
    const events = await this.explained<AsyncIterable<StreamEvent>>(this.client.get(path, options));
    try {
      yield* events;
    } catch (error) {
      signal?.throwIfAborted();
      throw explainServerError(error, this.url);
    }
    // The client ends its loop without a word when it is told to stop.
    signal?.throwIfAborted();
  }

  /** What answers here is something else: the page of a proxy, another program, another version. */
  foreign(): Error {
    return new Error(`${this.url} does not answer as a Headstone server of this version does: check --server.`);
  }

  private read<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
    const parsed = schema.safeParse(body);
    if (!parsed.success) throw this.foreign();
    return parsed.data;
  }

  private async explained<Body>(call: PromiseLike<unknown>): Promise<Body> {
    try {
      return (await call) as Body;
    } catch (error) {
      throw explainServerError(error, this.url);
    }
  }
}

/** With or without /v1 and slashes at its end, as people paste it. */
function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new HeadstoneError('invalid_request', '--server must be a URL like http://127.0.0.1:3000.');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '');
}

function given(query: Query): Record<string, string | number | boolean> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Record<
    string,
    string | number | boolean
  >;
}
