import { connect, createServer, type Socket } from 'node:net';
import { inject, onTestFinished } from 'vitest';

export interface Proxy {
  redisUrl: string;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  /** Swallows every byte, and says nothing: what a network does when it loses a node. */
  freeze(): void;
  heal(): void;
}

/** A wire between us and the store that a test can cut. */
export async function startProxy(): Promise<Proxy> {
  const { hostname, port } = new URL(inject('redisUrl'));
  const sockets = new Set<Socket>();
  let state: 'open' | 'cut' | 'frozen' = 'open';
  const server = createServer(client => {
    if (state === 'cut') return client.destroy();
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', chunk => {
        if (state === 'open') to.write(chunk);
      });
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    breakAll();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No address.');
  return {
    redisUrl: `redis://127.0.0.1:${address.port}`,
    cut() {
      state = 'cut';
      breakAll();
    },
    freeze() {
      state = 'frozen';
    },
    heal() {
      // Bytes that a frozen wire swallowed never arrive, so its connections are of no use any more.
      if (state === 'frozen') breakAll();
      state = 'open';
    },
  };
}
