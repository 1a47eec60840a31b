import type { RedisClient } from './client.ts';
import { refusalOf, refused, told, unreachable, unsuitable } from './store-errors.ts';

const LEAST_VERSION = 7;
/** Of the first connection: whoever starts a command waits for it. */
const PATIENCE_MS = 3000;

/** Resolves when the store answers; rejects with one sentence when it does not, or must not be used. */
export async function assertSuitable(client: RedisClient): Promise<void> {
  await untilReady(client);
  try {
    await assertDatabase(client);
    const server = await client.info('server');
    const name = /^server_name:(\S+)/m.exec(server)?.[1] ?? 'redis';
    const version = /^(?:valkey_version|redis_version):(\S+)/m.exec(server)?.[1] ?? '0';
    if (name !== 'valkey' && Number.parseInt(version, 10) < LEAST_VERSION)
      throw unsuitable(
        client,
        `is ${version}, and Headstone needs ${LEAST_VERSION}.0 or newer, or Valkey: point REDIS_URL at one`,
      );
    if (/^cluster_enabled:1/m.test(await client.info('cluster'))) throw refused(client, 'MOVED', null);
    const policy = /^maxmemory_policy:(\S+)/m.exec(await client.info('memory'))?.[1];
    if (policy !== undefined && policy !== 'noeviction')
      throw unsuitable(
        client,
        `has maxmemory-policy ${policy}, which silently drops jobs and tombstones when memory is short: run CONFIG SET maxmemory-policy noeviction, and set it in redis.conf too`,
      );
  } catch (error) {
    throw told(client, error);
  }
}

/** Where a database cannot be selected, ioredis goes on in database 0, where something else may be. */
export async function assertDatabase(client: RedisClient): Promise<void> {
  const { db = 0 } = client.options;
  if (db === 0) return;
  await client.select(db).catch((cause: unknown) => {
    const word = refusalOf(cause);
    if (word !== null && word !== 'NOPERM') throw cause;
    const why = word === 'NOPERM' ? 'this user may not select it' : 'there are fewer of them';
    throw unsuitable(client, `has no database ${db} for us, because ${why}: use another index, or none`, cause);
  });
}

/** A connection that is being left says that it is ready until it has closed. */
function isUsable(client: RedisClient): boolean {
  const { stream } = client as unknown as { stream?: { writable?: boolean } };
  return client.status === 'ready' && stream?.writable !== false;
}

/** Resolves when commands can be sent. Throws `store_unreachable` with the last reason when that takes too long. */
export async function untilReady(client: RedisClient): Promise<void> {
  if (isUsable(client)) return;
  let lastError: unknown;
  const remember = (error: unknown) => {
    lastError = error;
  };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(reject, PATIENCE_MS);
  client.on('error', remember).on('ready', resolve).on('end', reject);
  try {
    if (client.status === 'wait') client.connect().catch(remember);
    await promise;
  } catch {
    throw unreachable(client, lastError);
  } finally {
    clearTimeout(timer);
    // Whoever asks again and again while the store is away leaves nothing behind.
    client.off('error', remember).off('ready', resolve).off('end', reject);
  }
}
