import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { type Dispatcher, request } from 'undici';

/** An answer as far as this folder and the SDK read one. */
export interface LeanAnswer {
  readonly status: number;
  readonly ok: boolean;
  readonly url: string;
  readonly headers: Pick<Headers, 'get' | 'entries'>;
  readonly body: Readable;
  text(): Promise<string>;
}

export interface LeanRequest {
  method: string;
  headers: Record<string, string>;
  body?: string | undefined;
  signal: AbortSignal | null;
}

/**
 * Sends a request by undici's own call, without the streams, the copies and the checks by which `fetch` keeps to a browser's
 * rules (docs/decisions/0021). Null if the answer is a redirect: then nothing was asked yet, and `fetch` knows how to follow.
 */
export async function leanRequest(
  url: string,
  { method, headers, body, signal }: LeanRequest,
): Promise<LeanAnswer | null> {
  const answer = await request(url, {
    method: method as Dispatcher.HttpMethod,
    headers,
    body: body ?? null,
    signal,
    // Each call has its own deadline, and the provider may be silent until then.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  if (answer.statusCode < 300 || answer.statusCode > 399) return leanAnswer(url, answer);
  await answer.body.dump();
  return null;
}

/** The same for an SDK's client, which may have prepared the request in its own way. */
export const leanFetch: typeof fetch = async (input, init) => {
  if (typeof input !== 'string' || !isPlain(init)) return await fetch(input, init);
  const { method = 'GET', headers, body, signal = null } = init;
  const answer = await leanRequest(input, { method, headers: Object.fromEntries(headers), body, signal });
  return (answer as Response | null) ?? (await fetch(input, init));
};

const plainMembers = new Set(['method', 'headers', 'body', 'signal']);

interface PlainInit extends RequestInit {
  headers: Headers;
  body?: string;
}

/** False for an event stream, and for options such as a proxy's dispatcher. */
function isPlain(init: RequestInit | undefined): init is PlainInit {
  if (!(init?.headers instanceof Headers) || init.headers.get('accept') === 'text/event-stream') return false;
  if (Object.keys(init).some(member => !plainMembers.has(member))) return false;
  return init.body === undefined || typeof init.body === 'string';
}

function leanAnswer(url: string, { statusCode, headers, body }: Dispatcher.ResponseData): LeanAnswer {
  const ok = statusCode >= 200 && statusCode < 300;
  const readable = unpacked(body, headers['content-encoding']);
  return {
    status: statusCode,
    ok,
    url,
    // The SDK's errors carry real headers.
    headers: ok ? new LeanHeaders(headers) : headersOf(headers),
    body: readable,
    async text() {
      const chunks: Uint8Array[] = [];
      for await (const chunk of readable) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    },
  };
}

type RawHeaders = Dispatcher.ResponseData['headers'];

/** Headers that are read, and neither checked nor sorted. */
class LeanHeaders {
  private readonly headers: RawHeaders;

  constructor(headers: RawHeaders) {
    this.headers = headers;
  }

  get(name: string): string | null {
    const value = this.headers[name.toLowerCase()];
    return value === undefined ? null : String(value);
  }

  entries() {
    return Object.entries(this.headers)
      .map(([name, value]): [string, string] => [name, String(value)])
      .values();
  }
}

function headersOf(headers: RawHeaders): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) for (const one of [value ?? []].flat()) all.append(name, one);
  return all;
}

const unpackers: Record<string, () => NodeJS.ReadWriteStream> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** No encoding was asked for, but some gateways pack whatever they send. */
function unpacked(body: Readable, encoding: string | string[] | undefined): Readable {
  const unpacker = unpackers[String(encoding).trim().toLowerCase()]?.() as unknown as
    | (Readable & NodeJS.WritableStream)
    | undefined;
  if (!unpacker) return body;
  body.once('error', error => unpacker.destroy(error));
  unpacker.once('close', () => body.destroy());
  return body.pipe(unpacker);
}
