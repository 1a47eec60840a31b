import { unlessAborted } from '../shared/runtime/unless-aborted.ts';

/**
 * The arguments of a call of fetch. The real fetch receives them unchanged: it may not know Node's `Request`, and a `Request`
 * does not keep every option, such as a proxy.
 */
export type Call = Parameters<typeof fetch>;

/** The call's URL. Null if the text is no URL, which the real fetch reports. A `Request` may have any class. */
export function urlOf([input]: Call): URL | null {
  return URL.parse(typeof input === 'object' && 'url' in input ? input.url : String(input));
}

export function methodOf([input, init]: Call): string {
  return (init?.method ?? (typeof input === 'object' && 'method' in input ? input.method : 'GET')).toUpperCase();
}

/** The work's result. Like the real fetch, it does not wait for an answer that the app has given up. */
export async function unlessGivenUp<Result>([input, init]: Call, work: Promise<Result>): Promise<Result> {
  const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
  return await (signal ? unlessAborted(work, signal) : work);
}

/** The body as text, and the call with its body unread. */
export async function readBody(call: Call): Promise<{ unread: Call; text: string }> {
  const [input, init] = call;
  if (typeof init?.body === 'string') return { unread: call, text: init.body };
  const request = new Request(input, init);
  return { unread: [request], text: await request.clone().text() };
}
