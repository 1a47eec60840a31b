import { startChild } from '../src/cli/processes/children.ts';
import { hasRedisServer, startRedisServer } from '../tools/redis-server.ts';

/** Measures on the embedded store, and then on redis-server if it is on the PATH. */
export async function onEachStore(measure: (store: string, connection: string) => Promise<void>): Promise<void> {
  const embedded = await startChild(['store', '--port', '0']);
  try {
    await measure('embedded', embedded.address);
  } finally {
    await embedded.stop();
  }

  if (!hasRedisServer()) {
    process.stdout.write('redis-server is not on the PATH: measured on the embedded store alone.\n');
    return;
  }
  const redis = await startRedisServer();
  try {
    await measure('redis-server', redis.url);
  } finally {
    await redis.kill();
  }
}
