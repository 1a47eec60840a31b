import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, type LogLine, startChild } from './children.ts';
import { freeOr } from './ports.ts';

export interface SystemOptions {
  /** Undefined starts an embedded store. */
  redisUrl: string | undefined;
  /** The preferred port. If another program uses it, a free one is taken. */
  storePort: number;
  simulatorPort: number;
  /** False lets the workers use the real provider. */
  simulate: boolean;
  workers: number;
  /** Undefined starts no server. */
  serverPort: number | undefined;
  /** True restarts a worker that ends, as a supervisor does. */
  revive?: boolean;
  /** Environment variables of all processes. */
  env: Record<string, string>;
  onLine: (process: string, line: LogLine) => void;
}

export interface System {
  redisUrl: string;
  simulatorUrl: string | null;
  serverUrl: string | null;
  /** The process ids of the workers that run now. */
  workerPids(): number[];
  /** Starts more workers once the system is up. */
  startWorkers(count: number): Promise<void>;
  /** Resolves with the name of the first process that ends by itself. */
  firstEnded: Promise<string>;
  stop(): Promise<void>;
}

const REVIVE_MS = 500;

/** Starts the whole system as children of this process, each when what it needs is ready. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const children: { name: string; child: Child }[] = [];
  let isStopping = false;
  const start = async (name: string, command: string[], env: Record<string, string>): Promise<Child> => {
    const child = await startChild(command, { env, onLine: line => options.onLine(name, line) });
    children.push({ name, child });
    // The system was stopped while this child started.
    if (isStopping) await child.stop();
    return child;
  };
  const stop = async () => {
    isStopping = true;
    // The store is stopped last, because the others still write to it.
    for (const { child } of children.toReversed()) await child.stop();
  };

  try {
    const env: Record<string, string> = { ...options.env };
    // An embedded store has no replicas to wait for.
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
      void child.ended.then(how => revive(name, `ended (${how}); restarting it`));
    };
    const revive = async (name: string, why: string): Promise<void> => {
      if (isStopping) return;
      options.onLine(name, { level: 'warn', event: why });
      // A worker that ends at once, or cannot start while the store is away, is not restarted in a tight loop.
      await sleep(REVIVE_MS);
      if (isStopping) return;
      await startWorker(name).catch((error: Error) => revive(name, `could not start; trying again: ${error.message}`));
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
