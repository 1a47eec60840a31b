import { HeadstoneError } from '../../contract/errors.ts';
import type { RedisOptions } from './client.ts';

/** What apps give BullMQ as its connection, apart from a client: options, also with a URL among them. */
export type ConnectionOptions = RedisOptions & { url?: string };

const HIGHEST_DATABASE = 1_000_000;

/**
 * A connection as ioredis takes it. Whatever it would pass over in silence is refused here: a database that is no number
 * would end the process later, and a socket's URL would be taken for a host.
 */
export function readConnection(connection: string | ConnectionOptions): { url?: string; options: RedisOptions } {
  if (typeof connection === 'string') return readUrl(connection, {});
  const { url, ...options } = connection;
  assertDatabase(options.db ?? 0);
  return url === undefined ? { options } : readUrl(url, options);
}

function readUrl(text: string, options: RedisOptions): { url?: string; options: RedisOptions } {
  const url = URL.parse(text);
  // ioredis takes a bare path for a socket, and a bare name for a host.
  if (!url) return { url: text, options };
  if (url.protocol === 'unix:') return { options: { ...socketOptions(url), ...options } };
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:')
    throw wrong(`starts with ${url.protocol}//, and has to start with redis://, rediss:// or unix://`);
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
  throw wrong('names a database that is not a whole number: write it like redis://host:6379/0');
}

/** Without the URL itself, which may hold a password. */
function wrong(problem: string): HeadstoneError {
  return new HeadstoneError('configuration', `The connection to Redis (REDIS_URL) ${problem}.`);
}
