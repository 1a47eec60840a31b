import ipaddr from 'ipaddr.js';

/** Longer URLs are cut by proxies and servers on the way. */
const LONGEST = 2000;

/** What a callback's URL may lead to besides public addresses: `host` or `host:port`, as an admin has listed them. */
export type AllowedHosts = readonly string[];

/** Why no message is sent to this URL, as the end of a sentence; null if its form is right. Its name is not resolved here. */
export function problemOfCallback(text: string, allowed: AllowedHosts): string | null {
  const url = URL.parse(text);
  if (!url || text.length > LONGEST) return `must be a URL of at most ${LONGEST} characters`;
  if (url.username !== '' || url.password !== '') return 'must not have a name or password in it';
  if (isAllowed(url, allowed)) return /^https?:$/.test(url.protocol) ? null : 'must start with https://';
  if (url.protocol !== 'https:')
    return 'must start with https://, unless an admin allows its host with HEADSTONE_CALLBACK_HOSTS';
  const literal = addressIn(url);
  if (literal !== null && !isPublic(literal))
    return 'must not lead to a private address, unless an admin allows it with HEADSTONE_CALLBACK_HOSTS';
  return null;
}

export function isAllowed({ hostname, host, port, protocol }: URL, allowed: AllowedHosts): boolean {
  const withPort = port === '' ? `${host}:${protocol === 'https:' ? 443 : 80}` : host;
  return allowed.includes(hostname) || allowed.includes(withPort);
}

/** The address that a URL has in place of a name; null if it has a name. WHATWG's parser has made one form of all spellings. */
export function addressIn({ hostname }: URL): string | null {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(bare) ? bare : null;
}

/** True for an address that anybody on the internet could reach: not loopback, private, link-local, translated or reserved. */
export function isPublic(address: string): boolean {
  try {
    const parsed = ipaddr.parse(address);
    // The library takes whatever is not reserved yet for unicast; only this part of IPv6 is routed on the internet.
    const isRouted = parsed.kind() === 'ipv4' || parsed.match(ipaddr.parseCIDR('2000::/3'));
    return parsed.range() === 'unicast' && isRouted;
  } catch {
    return false;
  }
}
