import { clusterOf, type RedisClient } from './client.ts';

const BATCH = 1000;

/** Deletes every key that begins with a text. On a cluster, each node is asked for its own. */
export async function deleteKeys(client: RedisClient, beginning: string): Promise<void> {
  const match = `${beginning.replaceAll(/[\\*?[\]]/g, '\\$&')}*`;
  for (const node of clusterOf(client)?.nodes('master') ?? [client])
    for await (const keys of node.scanStream({ match, count: BATCH })) {
      // One by one, because the keys of different lanes are in different slots.
      await Promise.all((keys as string[]).map(key => client.unlink(key)));
    }
}
