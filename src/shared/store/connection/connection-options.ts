import type { ClusterNode } from 'ioredis';
import { HeadstoneError } from '../../contract/errors.ts';
import { namesCluster, parseRedisUrl, type RedisUrl } from '../../runtime/redis-url.ts';
import type { RedisOptions } from './client.ts';

/** The options of a connection, as BullMQ takes them. They may have a `url`. */
export type ConnectionOptions = RedisOptions & { url?: string };

/** What to connect to: a single server, by its URL or by options, Sentinels, which are options too, or a cluster. */
export type Address =
  | { kind: 'server'; url?: string; options: RedisOptions }
  | { kind: 'cluster'; nodes: ClusterNode[]; options: RedisOptions };

const HIGHEST_DATABASE = 1_000_000;
const SENTINEL_PORT = 26_379;
const PORT = 6379;
const SCHEMES = 'redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://';

/**
 * Reads a connection for ioredis, and refuses what ioredis would misunderstand: a database that is no number would end the
 * process later, and it would take the URL of a socket for a host. Throws `configuration`.
 */
export function readConnection(connection: string | ConnectionOptions): Address {
  if (typeof connection === 'string') return readUrl(connection, {});
  const { url, ...options } = connection;
  assertDatabase(options.db ?? 0);
  return url === undefined ? { kind: 'server', options } : readUrl(url, options);
}

function readUrl(text: string, options: RedisOptions): Address {
  // ioredis takes a path for a socket and a name for a host.
  if (!/^[\w+.-]+:\/\//.test(text)) return { kind: 'server', url: text, options };
  const url = parseRedisUrl(text);
  if (!url) throw wrong('is not a valid URL. Percent-encode special characters in its password');
  switch (url.scheme) {
    case 'unix':
      return { kind: 'server', options: { ...socketOptions(url), ...options } };
    case 'redis+sentinel':
    case 'rediss+sentinel':
      return { kind: 'server', options: { ...sentinelOptions(url), ...options } };
    case 'redis':
    case 'rediss':
    case 'redis+cluster':
    case 'rediss+cluster':
      if (namesCluster(url)) return clusterAddress(url, options);
      if (url.path !== '') databaseIn(url.path);
      return { kind: 'server', url: text, options };
    default:
      throw wrong(`starts with ${url.scheme}://, but has to start with ${SCHEMES}`);
  }
}

function socketOptions(url: RedisUrl): RedisOptions {
  return { path: `/${url.path}`, db: databaseIn(url.query.get('db') ?? '0'), ...credentialsOf(url) };
}

/** `redis+sentinel://host:26379,host:26379/name/database`. What stands before the @ is for Redis, as in other clients. */
function sentinelOptions(url: RedisUrl): RedisOptions {
  const [name, database = '0', ...rest] = url.path.split('/');
  if (!name || rest.length > 0 || url.hosts.length === 0)
    throw wrong('has to name the primary after the Sentinels, as in redis+sentinel://host:26379,host:26379/mymaster');
  const isEncrypted = url.scheme.startsWith('rediss');
  const sentinelUsername = url.query.get('sentinel_username');
  const sentinelPassword = url.query.get('sentinel_password');
  return {
    sentinels: url.hosts.map(({ host, port = SENTINEL_PORT }) => ({ host, port })),
    name,
    db: databaseIn(database),
    ...credentialsOf(url),
    ...(sentinelUsername === null ? {} : { sentinelUsername }),
    ...(sentinelPassword === null ? {} : { sentinelPassword }),
    ...(isEncrypted ? { tls: {}, enableTLSForSentinelMode: true } : {}),
  };
}

function clusterAddress(url: RedisUrl, options: RedisOptions): Address {
  if (url.hosts.length === 0) throw wrong('names no host of the cluster');
  const database = url.path === '' ? (options.db ?? 0) : databaseIn(url.path);
  if (database !== 0) throw wrong(`names database ${database}, but a Redis Cluster has only database 0`);
  return {
    kind: 'cluster',
    nodes: url.hosts.map(({ host, port = PORT }) => ({ host, port })),
    options: { ...credentialsOf(url), ...(url.scheme.startsWith('rediss') ? { tls: {} } : {}), ...options },
  };
}

function credentialsOf({ username, password }: RedisUrl): RedisOptions {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

function databaseIn(text: string): number {
  const database = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  assertDatabase(database);
  return database;
}

function assertDatabase(database: unknown): void {
  if (Number.isInteger(database) && Number(database) >= 0 && Number(database) <= HIGHEST_DATABASE) return;
  throw wrong('has a database that is not a whole number. Write it like redis://host:6379/0');
}

/** An error that does not quote the URL, because it may hold a password. */
function wrong(problem: string): HeadstoneError {
  return new HeadstoneError('configuration', `The connection to Redis (REDIS_URL) ${problem}.`);
}
