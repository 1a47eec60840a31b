import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorBody } from '../error-body.ts';

const localNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Headers that proxies, load balancers and content networks add, and no client does. */
const forwardingHeader =
  /^(forwarded(-for)?|via|cdn-loop|(x-)?((real|true-client|client|remote|cluster-client|original-client)-ip|original-.*)|x-forwarded.*|x-original-.*|x-scheme|x-proxyuser-ip|x-envoy-.*|x-amzn?-.*|x-azure-.*|x-appengine-.*|x-vercel-.*|x-nf-.*|cf-.*|fastly-.*|fly-.*|proxy-.*)$/;

/**
 * Lets only programs on this machine use a server without sign-in. A web page whose name points at 127.0.0.1, or a proxy in
 * front of the server, would let others in. So the guard refuses whatever no local client sends. It cannot tell a proxy that
 * speaks HTTP/1.1 and adds nothing, such as a tunnel, from a client: see SECURITY.md.
 */
export async function guardLoopback(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  // A webhook is signed, and comes through whatever leads from the provider to this machine.
  if (isWebhook(request)) return;
  const problem = problemOf(request.raw, request.originalUrl);
  if (problem === null) return;
  await reply
    .code(403)
    .header('x-should-retry', 'false')
    .send(
      errorBody(
        `This server has no sign-in, so it answers only programs on its own machine, and ${problem}. Address it as 127.0.0.1 or localhost without a proxy, or set HEADSTONE_API_KEYS so that callers sign in.`,
        'local_only',
        'invalid_request_error',
      ),
    );
}

/** By the matched route, because a path can be spelled in many ways. */
function isWebhook({ method, routeOptions }: FastifyRequest): boolean {
  return method === 'POST' && (routeOptions.url ?? '').startsWith('/webhooks/');
}

/** Why the request cannot come straight from a client on this machine; null if it can. */
function problemOf({ headers, rawHeaders, httpVersion, socket }: IncomingMessage, url: string): string | null {
  const forwarding = Object.keys(headers).find(header => forwardingHeader.test(header));
  if (forwarding !== undefined) return `the header ${forwarding} comes from a proxy`;
  if (httpVersion !== '1.1') return `it speaks HTTP/${httpVersion}, as proxies do`;
  if (!url.startsWith('/')) return 'the whole URL in its request line is meant for a proxy';
  const hosts = rawHeaders.filter((name, position) => position % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length !== 1) return 'the header Host has to be sent exactly once';
  if (!isLocal(`http://${headers.host}`)) return 'the header Host names another machine';
  if (!isLocal(headers.origin)) return 'a page of another origin sent the request';
  return isLoopback(socket.remoteAddress) ? null : 'the request came from another machine';
}

function isLocal(address: string | undefined): boolean {
  return address === undefined || localNames.has(URL.parse(address)?.hostname ?? '');
}

/** In process there is no socket, so the address is undefined. */
function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return true;
  return isIPv6(address) ? address === '::1' || address.startsWith('::ffff:127.') : address.startsWith('127.');
}
