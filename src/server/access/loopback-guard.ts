import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorBody } from '../error-answer.ts';

const localNames = new Set(['localhost', '127.0.0.1', '[::1]']);
const forwardingHeader = /^(forwarded|via|x-real-ip|x-forwarded-.*)$/;

/**
 * Without sign-in only this machine's own programs may speak to us. A web page that points a name of its own at
 * 127.0.0.1, or a proxy in front of us, would let others in.
 */
export async function guardLoopback(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const forwarded = Object.keys(request.headers).some(header => forwardingHeader.test(header));
  if (!forwarded && isLocal(`http://${request.headers.host}`) && isLocal(request.headers.origin)) return;
  await reply
    .code(403)
    .send(
      errorBody(
        'This server has no sign-in, so it answers only programs on its own machine: address it as 127.0.0.1 or localhost, without a proxy.',
        'local_only',
        'invalid_request_error',
      ),
    );
}

function isLocal(address: string | undefined): boolean {
  if (address === undefined) return true;
  try {
    return localNames.has(new URL(address).hostname);
  } catch {
    return false;
  }
}
