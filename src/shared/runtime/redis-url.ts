/** The parts of a REDIS_URL, which may name several hosts, as no URL may. */
export interface RedisUrl {
  /** `redis`, `rediss`, `redis+sentinel`, `rediss+sentinel`, `redis+cluster`, `rediss+cluster` or `unix`, without the colon. */
  scheme: string;
  username: string | undefined;
  password: string | undefined;
  hosts: { host: string; port: number | undefined }[];
  /** Without the slash at its beginning. */
  path: string;
  query: URLSearchParams;
}

const shape = /^([a-z+]+):\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#]*)?(?:\?([^#]*))?$/;

/** Parses a REDIS_URL. Null if it is none. */
export function parseRedisUrl(text: string): RedisUrl | null {
  const [, scheme, credentials, authority, path = '', query] = shape.exec(text) ?? [];
  if (scheme === undefined || authority === undefined) return null;
  const hosts = authority.split(',').filter(part => part !== '');
  const parsed = hosts.map(part => URL.parse(`redis://${part}`));
  if (parsed.some(url => url === null || url.hostname === '')) return null;
  try {
    const [username = '', password] = (credentials ?? '').split(/:(.*)/s);
    return {
      scheme,
      username: decodeURIComponent(username) || undefined,
      password: password === undefined ? undefined : decodeURIComponent(password) || undefined,
      hosts: parsed.map(url => ({
        host: (url?.hostname ?? '').replace(/^\[|\]$/g, ''),
        port: url?.port ? Number(url.port) : undefined,
      })),
      path: decodeURIComponent(path.slice(1)),
      query: new URLSearchParams(query ?? ''),
    };
  } catch {
    // A percent sign that encodes nothing.
    return null;
  }
}

/** True if the URL names a Redis Cluster: several hosts, or one that is said to belong to one. */
export function namesCluster({ scheme, hosts }: RedisUrl): boolean {
  return scheme.endsWith('+cluster') || (!scheme.includes('+') && hosts.length > 1);
}
