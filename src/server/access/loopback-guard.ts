import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorBody } from '../error-answer.ts';

const localNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/** What proxies, load balancers and content networks add, and no client does. */
const forwardingHeader =
  /^(forwarded(-for)?|via|cdn-loop|(x-)?((real|true-client|client|remote|cluster-client|original-client)-ip|original-.*)|x-forwarded.*|x-original-.*|x-scheme|x-proxyuser-ip|x-envoy-.*|x-amzn?-.*|x-azure-.*|x-appengine-.*|x-vercel-.*|x-nf-.*|cf-.*|fastly-.*|fly-.*|proxy-.*)$/;

/**
 * Without sign-in only this machine's own programs may speak to us. A web page that points a name of its own at
 * 127.0.0.1, or a proxy in front of us, would let others in. So whatever no client on this machine sends is refused. A
 * proxy that speaks HTTP/1.1 and adds nothing, such as a tunnel, cannot be told from a client: see SECURITY.md.
 */
export async function guardLoopback(request: FastifyRequest, reply: FastifyReply): Promise<void> {
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

/** What says that this did not come straight from a client on this machine; null where nothing does. */
function problemOf({ headers, rawHeaders, httpVersion, socket }: IncomingMessage, url: string): string | null {
  const forwarding = Object.keys(headers).find(header => forwardingHeader.test(header));
  if (forwarding !== undefined) return `the header ${forwarding} comes from a proxy`;
  if (httpVersion !== '1.1') return `HTTP/${httpVersion} is what proxies speak`;
  if (!url.startsWith('/')) return 'a whole URL in the request line is meant for a proxy';
  const hosts = rawHeaders.filter((name, position) => position % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length !== 1) return 'the header Host has to come once';
  if (!isLocal(`http://${headers.host}`)) return 'the header Host names another machine';
  if (!isLocal(headers.origin)) return 'a page of another origin asks';
  return isLoopback(socket.remoteAddress) ? null : 'this came from another machine';
}

function isLocal(address: string | undefined): boolean {
  return address === undefined || localNames.has(URL.parse(address)?.hostname ?? '');
}

/** Undefined in process, where there is no socket. */
function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return true;
  return isIPv6(address) ? address === '::1' || address.startsWith('::ffff:127.') : address.startsWith('127.');
}
