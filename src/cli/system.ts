import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, type LogLine, startChild } from './children.ts';

export interface SystemOptions {
  /** Undefined: an embedded store of our own. */
  redisUrl: string | undefined;
  /** The port that other commands look at by default; a free one is taken where it is in use. */
  storePort: number;
  simulatorPort: number;
  /** False: the workers speak to the real provider. */
  simulate: boolean;
  workers: number;
  /** Undefined: no server. */
  serverPort: number | undefined;
  /** True starts a worker again that ended by itself, as a supervisor does. */
  revive?: boolean;
  /** Settings of all processes. */
  env: Record<string, string>;
  onLine: (process: string, line: LogLine) => void;
}

export interface System {
  redisUrl: string;
  simulatorUrl: string | null;
  serverUrl: string | null;
  /** Of those that were started last under each name. */
  workerPids(): number[];
  /** More of them, once the system is up. */
  startWorkers(count: number): Promise<void>;
  /** Resolves with the name of the first process that ends by itself. */
  firstEnded: Promise<string>;
  stop(): Promise<void>;
}

const REVIVE_MS = 500;

/** Starts the whole system as a tree of processes under this one, each when what it needs is there. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const children: { name: string; child: Child }[] = [];
  let isStopping = false;
  const start = async (name: string, command: string[], env: Record<string, string>): Promise<Child> => {
    const child = await startChild(command, { env, onLine: line => options.onLine(name, line) });
    children.push({ name, child });
    // Begun before the system was stopped, and ready after.
    if (isStopping) await child.stop();
    return child;
  };
  const stop = async () => {
    isStopping = true;
    // The store last: the others still write what they hold.
    for (const { child } of children.toReversed()) await child.stop();
  };

  try {
    const env: Record<string, string> = { ...options.env };
    // A store of our own has no replica to wait for.
    if (options.redisUrl === undefined) env.HEADSTONE_WAIT_REPLICAS = '0';
    env.REDIS_URL =
      options.redisUrl ??
      (await start('store', ['store', '--port', String(await freeOr(options.storePort))], {})).address;
    const simulator = options.simulate
      ? await start('simulator', ['simulator', '--port', String(await freeOr(options.simulatorPort))], {})
      : null;
    if (simulator) Object.assign(env, { OPENAI_BASE_URL: simulator.address, OPENAI_API_KEY: 'simulated' });
    const startWorker = async (name: string): Promise<void> => {
      const child = await start(name, ['worker'], env);
      if (!options.revive) return;
      void child.ended.then(how => revive(name, `ended (${how}), and is started again`));
    };
    const revive = async (name: string, why: string): Promise<void> => {
      if (isStopping) return;
      options.onLine(name, { level: 'warn', event: why });
      // One that ends as soon as it starts, or cannot start while the store is away, is not started in a hurry.
      await sleep(REVIVE_MS);
      if (isStopping) return;
      await startWorker(name).catch((error: Error) =>
        revive(name, `could not start, and is tried again: ${error.message}`),
      );
    };
    const startWorkers = async (count: number) => {
      for (let number = 1; number <= count; number += 1) await startWorker(`worker ${number}`);
    };
    await startWorkers(options.workers);
    const server =
      options.serverPort === undefined
        ? null
        : await start('server', ['server', '--port', String(options.serverPort)], env);
    return {
      redisUrl: env.REDIS_URL,
      simulatorUrl: simulator?.address ?? null,
      serverUrl: server?.address ?? null,
      workerPids: () => [
        ...new Map(
          children.flatMap(({ name, child }) => (name.startsWith('worker') ? [[name, child.pid]] : [])),
        ).values(),
      ],
      startWorkers,
      firstEnded: Promise.race(
        children
          .filter(({ name }) => !(options.revive && name.startsWith('worker')))
          .map(({ name, child }) => child.ended.then(() => name)),
      ),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The port, or 0 (a free one) where another program listens on it. */
async function freeOr(port: number): Promise<number> {
  if (port === 0) return 0;
  return await new Promise(resolve => {
    const probe = connect({ port, host: '127.0.0.1' });
    probe.once('connect', () => {
      probe.destroy();
      resolve(0);
    });
    probe.once('error', () => resolve(port));
  });
}
