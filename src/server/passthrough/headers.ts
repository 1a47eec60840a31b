import type { IncomingHttpHeaders } from 'node:http';

type Headers = Record<string, string | string[] | undefined>;

/** What a caller may say to the provider: how to read and write the body, and which client speaks. */
const towardsProvider =
  /^(accept|accept-encoding|accept-language|content-type|content-length|content-encoding|user-agent|openai-beta|x-stainless-.+|x-client-request-id|traceparent|tracestate)$/;

/** What a provider may say to a caller: how to read the body, when to come back, and what it counted. */
const towardsCaller =
  /^(content-type|content-length|content-encoding|content-range|accept-ranges|transfer-encoding|retry-after|retry-after-ms|x-should-retry|x-ratelimit-.+|openai-(version|model|processing-ms)|x-ms-served-model|x-request-id|date)$/;

/** Types that no browser takes for a page: anything else comes as bytes. */
const shownAsItIs =
  /^(application\/(json|jsonl|x-ndjson|octet-stream|pdf|zip)|text\/(plain|csv|event-stream)|audio\/[\w.+-]+|video\/[\w.+-]+|image\/(png|jpeg|webp|gif))\s*(;|$)/i;

/** Without anything that names our callers, or the way between them and us. */
export function headersForProvider(headers: IncomingHttpHeaders, apiKey: string): IncomingHttpHeaders {
  return { ...chosen(headers, towardsProvider), authorization: `Bearer ${apiKey}` };
}

/** Beside our own: a cookie, a policy or a page of the provider's must not act under our address. */
export function headersForCaller(headers: Headers): Headers {
  const passed = chosen(headers, towardsCaller);
  const type = passed['content-type'];
  return {
    ...passed,
    ...(typeof type === 'string' && shownAsItIs.test(type) ? {} : { 'content-type': 'application/octet-stream' }),
  };
}

function chosen<Of extends Headers>(headers: Of, list: RegExp): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => list.test(name.toLowerCase())));
}
