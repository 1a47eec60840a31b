import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { type Dispatcher, getGlobalDispatcher } from 'undici';

export interface LeanRequest {
  origin: string;
  path: string;
  method: Dispatcher.HttpMethod;
  headers: Record<string, string>;
  body: string | undefined;
  signal: AbortSignal;
  /** A longer body is not read to its end. */
  mostBytes: number;
}

export interface LeanAnswer {
  status: number;
  headers: RawHeaders;
  /** Null if it is too long. */
  text: string | null;
}

/**
 * Sends a request over the connections that `fetch` uses too, and collects the answer. Without the streams and checks by which
 * `fetch` keeps to a browser's rules it takes a quarter of the processor time (docs/decisions/0021). Redirects are not
 * followed. Throws the signal's reason, or undici's error of a connection that failed.
 */
export async function leanRequest(request: LeanRequest): Promise<LeanAnswer> {
  const { origin, path, method, headers, body, signal } = request;
  const collector = new Collector(request);
  // Each call has its own deadline, and the provider may be silent until then.
  const options = { origin, path, method, headers, body: body ?? null, headersTimeout: 0, bodyTimeout: 0 };
  signal.throwIfAborted();
  signal.addEventListener('abort', collector.abort);
  try {
    getGlobalDispatcher().dispatch(options, collector);
    const { status, headers: answered, bytes } = await collector.collected;
    return { status, headers: answered, text: bytes && (await textOf(bytes, answered, request.mostBytes)) };
  } finally {
    signal.removeEventListener('abort', collector.abort);
  }
}

/**
 * The names and values of an answer's headers, which alternate. A provider sends more than twenty and two of them are looked
 * at, so they are read when they are asked for.
 */
export class RawHeaders {
  private readonly raw: Buffer[];

  constructor(raw: Buffer[]) {
    this.raw = raw;
  }

  /** `name` is in lower case. Values of one name are joined. */
  get(name: string): string | null {
    let found: string | null = null;
    for (let at = 0; at + 1 < this.raw.length; at += 2) {
      if (this.raw[at]?.length !== name.length || this.nameAt(at) !== name) continue;
      found = found === null ? this.valueAt(at) : `${found}, ${this.valueAt(at)}`;
    }
    return found;
  }

  *[Symbol.iterator](): Iterator<[name: string, value: string]> {
    for (let at = 0; at + 1 < this.raw.length; at += 2) yield [this.nameAt(at), this.valueAt(at)];
  }

  private nameAt(at: number): string {
    return String(this.raw[at]).toLowerCase();
  }

  private valueAt(at: number): string {
    return this.raw[at + 1]?.toString('latin1') ?? '';
  }
}

interface Collected {
  status: number;
  headers: RawHeaders;
  bytes: Buffer | null;
}

/** Collects one answer. undici calls these methods, which the undici inside Node 22 knows as well as newer ones. */
class Collector implements Dispatcher.DispatchHandler {
  readonly collected: Promise<Collected>;
  private readonly request: LeanRequest;
  private cut: ((reason?: Error) => void) | undefined;
  private resolve!: (collected: Collected) => void;
  private reject!: (reason: unknown) => void;
  private status = 0;
  private headers = new RawHeaders([]);
  private readonly chunks: Buffer[] = [];
  private size = 0;

  constructor(request: LeanRequest) {
    this.request = request;
    this.collected = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  readonly abort = (): void => {
    const { reason } = this.request.signal;
    this.reject(reason);
    this.cut?.(reason);
  };

  onConnect(abort: (reason?: Error) => void): void {
    this.cut = abort;
    // It may have waited for a connection until nobody wanted it any more.
    if (this.request.signal.aborted) abort(this.request.signal.reason);
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    // Those below 200 only announce the answer.
    if (status >= 200) {
      this.status = status;
      this.headers = new RawHeaders(headers);
    }
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.size += chunk.byteLength;
    if (this.size <= this.request.mostBytes) {
      this.chunks.push(chunk);
      return true;
    }
    this.resolve({ status: this.status, headers: this.headers, bytes: null });
    this.cut?.(new Error('The body is too long.'));
    return false;
  }

  onComplete(): void {
    const [only, ...more] = this.chunks;
    const bytes = only && more.length === 0 ? only : Buffer.concat(this.chunks);
    this.resolve({ status: this.status, headers: this.headers, bytes });
  }

  onError(error: Error): void {
    this.reject(error);
  }
}

const unpackers = new Map<string, (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
]);

const decoder = new TextDecoder();

/** Null for a body that unpacks to more than it may, or not at all. No packing was asked for, but some gateways do it. */
async function textOf(bytes: Buffer, headers: RawHeaders, mostBytes: number): Promise<string | null> {
  const encoding = headers.get('content-encoding');
  const unpack = unpackers.get(encoding?.trim().toLowerCase() ?? '');
  // Unlike Buffer, a TextDecoder drops the byte order mark that some gateways put before their JSON.
  if (!unpack) return decoder.decode(bytes);
  return await unpack(bytes, { maxOutputLength: mostBytes }).then(
    unpacked => decoder.decode(unpacked),
    () => null,
  );
}
