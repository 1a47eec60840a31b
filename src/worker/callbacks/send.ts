import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { Agent, request } from 'undici';
import { type AllowedHosts, addressIn, isAllowed, isPublic } from '../../shared/runtime/callback-url.ts';
import { unlessAborted } from '../../shared/runtime/unless-aborted.ts';

/** From the name's resolution to the status of the answer, however slowly the receiver speaks. */
const WHOLE_MS = 10_000;

/** Why nothing was sent. */
export class NotSent extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export type Resolve = (name: string) => Promise<LookupAddress[]>;

const resolveName: Resolve = async name => await lookup(name, { all: true, verbatim: true });

/**
 * Sends a message and returns the HTTP status of the answer. The name is resolved once, every address has to be public, and the
 * connection goes to one of those, so that a name that changes in between leads nowhere else. No redirect is followed. Throws
 * `NotSent`, or the error of the connection.
 */
export async function send(
  url: URL,
  message: { headers: Record<string, string>; body: string },
  allowed: AllowedHosts,
  resolve: Resolve = resolveName,
): Promise<number> {
  const deadline = AbortSignal.timeout(WHOLE_MS);
  const addresses = await unlessAborted(addressesOf(url, allowed, resolve), deadline);
  const agent = new Agent({
    connect: {
      lookup: (_name, options, callback) => {
        const [first] = addresses as [LookupAddress];
        if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
    },
    pipelining: 0,
  });
  try {
    const { statusCode, body } = await request(url, {
      method: 'POST',
      ...message,
      dispatcher: agent,
      signal: deadline,
    });
    // What the answer says is of no interest.
    body.on('error', () => {}).destroy();
    return statusCode;
  } finally {
    await agent.destroy().catch(() => {});
  }
}

async function addressesOf(url: URL, allowed: AllowedHosts, resolve: Resolve): Promise<LookupAddress[]> {
  const literal = addressIn(url);
  const addresses =
    literal === null
      ? // Whether a name is known inside is nobody's business who may not send there.
        await resolve(url.hostname).catch(() => [])
      : [{ address: literal, family: literal.includes(':') ? 6 : 4 }];
  if (addresses.length === 0) throw new NotSent('no_public_address');
  if (isAllowed(url, allowed)) return addresses;
  if (url.protocol !== 'https:') throw new NotSent('not_https');
  // One private address among public ones is as bad, because the connection might take it.
  if (!addresses.every(({ address }) => isPublic(address))) throw new NotSent('no_public_address');
  return addresses;
}
