import { HeadstoneError } from '../../contract/errors.ts';
import type { RedisOptions } from './client.ts';

/** The options of a connection, as BullMQ takes them. They may have a `url`. */
export type ConnectionOptions = RedisOptions & { url?: string };

const HIGHEST_DATABASE = 1_000_000;

/**
 * Reads a connection for ioredis, and refuses what ioredis would misunderstand: a database that is no number would end the
 * process later, and it would take the URL of a socket for a host. Throws `configuration`.
 */
export function readConnection(connection: string | ConnectionOptions): { url?: string; options: RedisOptions } {
  if (typeof connection === 'string') return readUrl(connection, {});
  const { url, ...options } = connection;
  assertDatabase(options.db ?? 0);
  return url === undefined ? { options } : readUrl(url, options);
}

function readUrl(text: string, options: RedisOptions): { url?: string; options: RedisOptions } {
  const url = URL.parse(text);
  // ioredis takes a path for a socket and a name for a host.
  if (!url) return { url: text, options };
  if (url.protocol === 'unix:') return { options: { ...socketOptions(url), ...options } };
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:')
    throw wrong(`starts with ${url.protocol}//, but has to start with redis://, rediss:// or unix://`);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database !== '') assertDatabase(/^\d+$/.test(database) ? Number(database) : Number.NaN);
  return { url: text, options };
}

function socketOptions(url: URL): RedisOptions {
  const database = url.searchParams.get('db') ?? '0';
  assertDatabase(/^\d+$/.test(database) ? Number(database) : Number.NaN);
  return {
    path: decodeURIComponent(url.pathname),
    db: Number(database),
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
  };
}

function assertDatabase(database: unknown): void {
  if (Number.isInteger(database) && Number(database) >= 0 && Number(database) <= HIGHEST_DATABASE) return;
  throw wrong('has a database that is not a whole number. Write it like redis://host:6379/0');
}

/** An error that does not quote the URL, because it may hold a password. */
function wrong(problem: string): HeadstoneError {
  return new HeadstoneError('configuration', `The connection to Redis (REDIS_URL) ${problem}.`);
}
