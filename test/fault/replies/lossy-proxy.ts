import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { readAlong } from '../answers.ts';

export interface LossyProxy {
  redisUrl: string;
  /** The names of the commands that were answered, in order. */
  answered: string[];
  /** Resolves when the answer was lost, with the moment of `performance.now()`. */
  lost: Promise<number>;
  close(): void;
}

/** The answer that is lost: of the command with this name, and the how many-th of them. */
export interface Loss {
  name: string;
  time: number;
}

/**
 * A proxy to Redis that knows which answer belongs to which command. It loses one: Redis has done what it was told, the
 * connection breaks, and nobody ever hears of it.
 */
export async function startLossyProxy(redisUrl: string, loss: Loss | null): Promise<LossyProxy> {
  const { hostname, port } = new URL(redisUrl);
  const answered: string[] = [];
  const { promise: lost, resolve } = Promise.withResolvers<number>();
  const sockets = new Set<Socket>();
  let left = loss?.time ?? 0;

  /** True if it is the one to lose. */
  const isLost = (name: string | null): boolean => {
    if (name === null) return false;
    answered.push(name);
    if (name !== loss?.name) return false;
    left -= 1;
    return left === 0;
  };

  const server = createServer(client => {
    const redis = connect(Number(port), hostname);
    let breaks = false;
    const conversation = readAlong(name => {
      breaks ||= isLost(name);
    });
    client.on('data', chunk => {
      if (conversation.ask(chunk)) redis.write(chunk);
      else client.destroy();
    });
    redis.on('data', chunk => {
      conversation.answer(chunk);
      if (!breaks) return client.write(chunk);
      client.destroy();
      resolve(performance.now());
    });
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  return {
    redisUrl: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered,
    lost,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
