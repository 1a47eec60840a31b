import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { readAlong } from '../answers.ts';

/** The connection of one process to Redis, which can be cut. */
export interface Line {
  redisUrl: string;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  /** Loses every byte without a word, as a network does. */
  freeze(): void;
  /** The connections that there are lose every byte from now on, and new ones work. */
  forget(): void;
  heal(): void;
  close(): void;
}

/** Opens a line. `onAnswered` hears of each command that changed something, and of Redis' answer. */
export async function openLine(redisUrl: string, onAnswered: (name: string, answer: unknown) => void): Promise<Line> {
  const { hostname, port } = new URL(redisUrl);
  const sockets = new Set<Socket>();
  const forgotten = new WeakSet<Socket>();
  let state: 'open' | 'cut' | 'frozen' = 'open';
  const server = createServer(client => {
    if (state === 'cut') return client.destroy();
    const redis = connect(Number(port), hostname);
    const conversation = readAlong((name, answer) => {
      if (name !== null) onAnswered(name, answer);
    });
    const pass = (from: Socket, to: Socket, read: (chunk: Buffer) => boolean) => {
      sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        if (state !== 'open' || forgotten.has(from)) return;
        if (read(chunk)) to.write(chunk);
        else from.destroy();
      });
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    };
    pass(client, redis, conversation.ask);
    pass(redis, client, chunk => {
      conversation.answer(chunk);
      return true;
    });
  });
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    redisUrl: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      state = 'cut';
      breakAll();
    },
    freeze() {
      state = 'frozen';
    },
    forget() {
      for (const socket of sockets) forgotten.add(socket);
    },
    heal() {
      // What a frozen line has lost never arrives, so its connections are of no use.
      if (state === 'frozen') breakAll();
      state = 'open';
    },
    close() {
      breakAll();
      server.close();
    },
  };
}
