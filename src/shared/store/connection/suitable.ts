import { clusterOf, type RedisClient } from './client.ts';
import { isConnectionError, refusalOf, refused, told, unreachable, unsuitable } from './store-errors.ts';

const LEAST_VERSION = 7;
/** How long the first connection may take, while a person waits for it. */
const PATIENCE_MS = 3000;

/**
 * Checks that the store answers and may be used. In a cluster, nodes that are away are left out, as long as one answers. Throws
 * `store_unreachable`, `store_refused` or `store_unsuitable`.
 */
export async function assertSuitable(client: RedisClient): Promise<void> {
  await untilReady(client);
  const cluster = clusterOf(client);
  if (!cluster) return await assertSuitableServer(client);
  const checks = await Promise.allSettled(cluster.nodes('master').map(node => assertSuitableServer(node, true)));
  const failures = checks.flatMap(check => (check.status === 'rejected' ? [check.reason as Error] : []));
  const wrong = failures.find(failure => !isConnectionError(failure.cause));
  if (wrong) throw wrong;
  if (failures[0] && failures.length === checks.length) throw failures[0];
}

async function assertSuitableServer(client: RedisClient, isNode = false): Promise<void> {
  try {
    await assertDatabase(client);
    const [server, cluster, memory] = await Promise.all([
      client.info('server'),
      isNode ? '' : client.info('cluster'),
      client.info('memory'),
    ]);
    const name = /^server_name:(\S+)/m.exec(server)?.[1] ?? 'redis';
    const version = /^(?:valkey_version|redis_version):(\S+)/m.exec(server)?.[1] ?? '0';
    if (name !== 'valkey' && Number.parseInt(version, 10) < LEAST_VERSION)
      throw unsuitable(
        client,
        `is version ${version}, and Headstone needs Redis ${LEAST_VERSION}.0 or newer, or Valkey. Point REDIS_URL at one`,
      );
    if (/^cluster_enabled:1/m.test(cluster)) throw refused(client, 'MOVED', null);
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
    if (policy !== undefined && policy !== 'noeviction')
      throw unsuitable(
        client,
        `has maxmemory-policy ${policy}, which silently drops jobs and tombstones when memory is short. Run CONFIG SET maxmemory-policy noeviction, and set it in redis.conf too`,
      );
  } catch (error) {
    throw told(client, error);
  }
}

/** Makes sure of the database. If it cannot be selected, ioredis would go on in database 0, where other data may be. */
export async function assertDatabase(client: RedisClient): Promise<void> {
  const { db = 0 } = client.options;
  // A cluster's client has no such option, and a cluster no other database.
  if (db === 0) return;
  await client.select(db).catch((cause: unknown) => {
    const word = refusalOf(cause);
    if (word !== null && word !== 'NOPERM') throw cause;
    const why = word === 'NOPERM' ? 'this user may not select it' : 'it has fewer databases';
    throw unsuitable(client, `has no database ${db}, because ${why}. Use another number, or none`, cause);
  });
}

/** True if commands can be sent. A connection that is being closed still calls itself ready. */
function isUsable(client: RedisClient): boolean {
  const { stream } = client as unknown as { stream?: { writable?: boolean } };
  return client.status === 'ready' && stream?.writable !== false;
}

/** Why each broken connection failed last. While reconnecting slows down, a caller may meet no attempt and no new reason. */
const lastErrors = new WeakMap<RedisClient, unknown>();

/** Resolves when commands can be sent. Throws `store_unreachable`, with the last reason, if that takes too long. */
export async function untilReady(client: RedisClient): Promise<void> {
  if (isUsable(client)) {
    lastErrors.delete(client);
    return;
  }
  const remember = (error: unknown) => {
    lastErrors.set(client, error);
  };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(reject, PATIENCE_MS);
  client.on('error', remember).on('ready', resolve).on('end', reject);
  try {
    if (client.status === 'wait') client.connect().catch(remember);
    await promise;
    lastErrors.delete(client);
  } catch {
    throw unreachable(client, lastErrors.get(client));
  } finally {
    clearTimeout(timer);
    // Asking again and again while the store is away must leave no listener behind.
    client.off('error', remember).off('ready', resolve).off('end', reject);
  }
}
