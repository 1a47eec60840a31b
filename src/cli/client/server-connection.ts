import type { z } from 'zod';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { StreamEvent } from '../../shared/contract/stream.ts';
import { withoutLastSlashes } from '../../shared/runtime/last-slashes.ts';
import { ApiConnection, type Query } from './api-connection.ts';
import { explainServerError } from './server-errors.ts';

const RETRIES = 2;

/** A Headstone server. Its answers are checked by schemas, and its errors say what to do. */
export class ServerConnection {
  private readonly url: string;
  private readonly api: ApiConnection;

  constructor(url: string, apiKey: string | undefined) {
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
      throw new HeadstoneError(
        'configuration',
        'HEADSTONE_API_KEY contains a character that no key can contain. Check how it was set.',
      );
    this.url = baseUrl(url);
    this.api = new ApiConnection({ url: `${this.url}/v1`, apiKey, retries: RETRIES });
  }

  async get<Schema extends z.ZodType>(path: string, schema: Schema, query: Query = {}): Promise<z.output<Schema>> {
    return this.read(schema, await this.explained(this.api.get(path, query)));
  }

  /** Posts a body. The call is sent again if its answer is lost, so the body has to name what it asks for. */
  async post<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    body: object = {},
    headers: Record<string, string> = {},
  ): Promise<z.output<Schema>> {
    return this.read(schema, await this.explained(this.api.post(path, body, headers)));
  }

  async delete<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    return this.read(schema, await this.explained(this.api.delete(path)));
  }

  /** Posts a streamed create and leaves the stream. Its beginning shows that the server accepted the request. */
  async begin(path: string, body: object): Promise<void> {
    const answer = await this.explained(this.api.send('post', path, body));
    await answer.body?.cancel();
    if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) throw this.foreign();
  }

  /** The events of a response, until the server ends them or the connection breaks. */
  async *events(path: string, query: Query, signal: AbortSignal | undefined): AsyncGenerator<StreamEvent, void> {
    try {
      yield* this.api.events(path, query, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw explainServerError(error, this.url);
    }
  }

  /** The error for an answer that no Headstone server gives: a proxy's page, another program, or another version. */
  foreign(): Error {
    return new Error(`${this.url} does not answer like a Headstone server of this version. Check --server.`);
  }

  private read<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
    const parsed = schema.safeParse(body);
    if (!parsed.success) throw this.foreign();
    return parsed.data;
  }

  private async explained<Body>(call: Promise<Body>): Promise<Body> {
    try {
      return await call;
    } catch (error) {
      throw explainServerError(error, this.url);
    }
  }
}

/** The server's URL without /v1 and slashes at its end, which people may paste. */
function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new HeadstoneError('invalid_request', '--server must be a URL like http://127.0.0.1:3000.');
  return withoutLastSlashes(`${url.origin}${url.pathname}`).replace(/\/v1$/, '');
}
