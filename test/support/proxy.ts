import { connect, createServer, type Socket } from 'node:net';
import { inject, onTestFinished } from 'vitest';

export interface Proxy {
  port: number;
  redisUrl: string;
  /** The same proxy for a server behind it. */
  url: string;
  /** Breaks the connection at the first byte of an answer, this many times. */
  loseReplies(times: number): void;
  /** How many answers were lost in this way. */
  readonly lost: number;
  /** How many chunks of answers came through. */
  readonly answered: number;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  /** Delays every answer by this much. */
  slow(ms: number): void;
  /** Drops every byte without an error, as a network does when it loses a node. */
  freeze(): void;
  heal(): void;
  /** Breaks every connection. New connections lead to another port. */
  leadTo(port: number): void;
  /** New connections lead to another port, and existing ones stay open, as in a managed failover. */
  leadNextTo(port: number): void;
  /** Existing connections drop every byte from now on, and new ones work, as if the other end had been replaced. */
  forget(): void;
}

/** A proxy to the store, or to a port of this machine, that a test can cut. */
export async function startProxy(toPort?: number): Promise<Proxy> {
  const store = new URL(inject('redisUrl'));
  const hostname = toPort === undefined ? store.hostname : '127.0.0.1';
  let port = toPort ?? Number(store.port);
  let toLose = 0;
  let lost = 0;
  let answered = 0;
  let delayMs = 0;
  const sockets = new Set<Socket>();
  let state: 'open' | 'cut' | 'frozen' = 'open';
  const forgotten = new WeakSet<Socket>();
  const server = createServer(client => {
    if (state === 'cut') return client.destroy();
    const upstream = connect(port, hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', chunk => {
        if (from === upstream && toLose > 0) {
          toLose -= 1;
          lost += 1;
          client.destroy();
        } else if (state === 'open' && !forgotten.has(from)) {
          if (from === upstream) answered += 1;
          if (from === upstream && delayMs > 0) setTimeout(() => to.write(chunk), delayMs);
          else to.write(chunk);
        }
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
    port: address.port,
    redisUrl: `redis://127.0.0.1:${address.port}`,
    url: `http://127.0.0.1:${address.port}`,
    get lost() {
      return lost;
    },
    get answered() {
      return answered;
    },
    loseReplies(times) {
      toLose = times;
    },
    cut() {
      state = 'cut';
      breakAll();
    },
    slow(ms) {
      delayMs = ms;
    },
    freeze() {
      state = 'frozen';
    },
    leadNextTo(other) {
      port = other;
    },
    forget() {
      for (const socket of sockets) forgotten.add(socket);
    },
    leadTo(other) {
      port = other;
      breakAll();
    },
    heal() {
      // The bytes that a frozen proxy dropped never arrive, so its connections are useless.
      if (state === 'frozen') breakAll();
      state = 'open';
    },
  };
}
