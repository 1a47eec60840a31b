import type { IncomingHttpHeaders } from 'node:http';

type Headers = Record<string, string | string[] | undefined>;

/** Headers of a caller that the provider receives: those for the body, and those that name the client. */
const towardsProvider =
  /^(accept|accept-encoding|accept-language|content-type|content-length|content-encoding|user-agent|openai-beta|x-stainless-.+|x-client-request-id|traceparent|tracestate)$/;

/** Headers of the provider that a caller receives: those for the body, for waiting, and for what was counted. */
const towardsCaller =
  /^(content-type|content-length|content-encoding|content-range|accept-ranges|transfer-encoding|retry-after|retry-after-ms|x-should-retry|x-ratelimit-.+|openai-(version|model|processing-ms)|x-ms-served-model|x-request-id|date)$/;

/** Content types that no browser takes for a page. Any other is sent as bytes. */
const shownAsItIs =
  /^(application\/(json|jsonl|x-ndjson|octet-stream|pdf|zip)|text\/(plain|csv|event-stream)|audio\/[\w.+-]+|video\/[\w.+-]+|image\/(png|jpeg|webp|gif))\s*(;|$)/i;

/** The headers for the provider. Nothing in them identifies the caller or the way to this server. */
export function headersForProvider(headers: IncomingHttpHeaders, apiKey: string): IncomingHttpHeaders {
  return { ...chosen(headers, towardsProvider), authorization: `Bearer ${apiKey}` };
}

/** The headers for the caller. No cookie, policy or page of the provider may act under this server's address. */
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
