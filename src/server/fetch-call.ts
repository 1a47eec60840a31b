import { unlessAborted } from '../shared/runtime/unless-aborted.ts';

/**
 * What fetch was called with. The real fetch gets it as it came: it may be one that knows no `Request` of Node's, and the
 * app may have said more than a `Request` keeps, like the proxy that it goes through.
 */
export type Call = Parameters<typeof fetch>;

/** Null for what only the real fetch can make something of. A `Request` may be of another class than Node's own. */
export function urlOf([input]: Call): URL | null {
  return URL.parse(typeof input === 'object' && 'url' in input ? input.url : String(input));
}

export function methodOf([input, init]: Call): string {
  return (init?.method ?? (typeof input === 'object' && 'method' in input ? input.method : 'GET')).toUpperCase();
}

/** As the real fetch does, which does not wait for an answer that the app has given up. */
export async function unlessGivenUp<Result>([input, init]: Call, work: Promise<Result>): Promise<Result> {
  const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
  return await (signal ? unlessAborted(work, signal) : work);
}

/** The body as text, and the call with its body still to be read. */
export async function readBody(call: Call): Promise<{ unread: Call; text: string }> {
  const [input, init] = call;
  if (typeof init?.body === 'string') return { unread: call, text: init.body };
  const request = new Request(input, init);
  return { unread: [request], text: await request.clone().text() };
}
