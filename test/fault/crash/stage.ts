import { OpenAI } from 'openai';
import { startChild } from '../../../src/cli/processes/children.ts';
import { startServer } from '../../../src/server/server.ts';
import { createWorker } from '../../../src/worker/create-worker.ts';
import type { Worker } from '../../../src/worker/worker.ts';
import { insist } from '../patience.ts';
import { layGround } from '../scenes/ground.ts';
import type { Scene } from '../scenes/scenes.ts';
import type { Stage } from '../scenes/stage.ts';
import { ARMING, type Arming } from './steps.ts';

const RESCUE_MS = 30_000;

/** A deployment of which one process dies as it was armed to, and whose work one of this process takes up. */
export async function openStage(scene: Scene, redisUrl: string, arming: Arming): Promise<Stage> {
  const ground = await layGround(redisUrl, scene.settings);
  const { env, configuration, telemetry, producer, port } = ground;
  const isWorker = scene.victim === 'worker';
  const rescuers: Worker[] = [];
  // As by a supervisor: on a machine that is overloaded the first start may fail.
  const rescue = () =>
    insist(async () => {
      const worker = createWorker({ configuration, telemetry });
      rescuers.push(worker);
      await worker.start();
    }, RESCUE_MS);
  if (!isWorker) await rescue();

  const preload = `--import ${new URL('steps.ts', import.meta.url).href}`;
  const starting = startChild(isWorker ? ['worker'] : ['server', '--port', String(port)], {
    env: { ...env, NODE_OPTIONS: preload, [ARMING]: JSON.stringify(arming) },
  });
  // One that dies at its start is dead before it is ready.
  const victim = await starting.catch(() => null);
  let hasStruck = false;
  const struck = Promise.resolve(victim?.ended).then(() => {
    hasStruck = true;
    return performance.now();
  });
  let server: Awaited<ReturnType<typeof startServer>> | undefined;
  const rescued = struck.then(async () => {
    if (isWorker) return await rescue();
    server = await startServer({ producer, configuration, telemetry, apiKeys: null, port: 0, insecureListen: false });
  });
  rescued.catch((error: Error) => process.stdout.write(`Nobody took up ${scene.name}: ${error.message}\n`));

  /** As through a load balancer: a call that fails fails, and the next one goes to the server that lives. */
  const balanced: typeof fetch = async (input, init) => {
    if (hasStruck) await rescued;
    const { pathname, search } = new URL(String(input));
    return await fetch(new URL(pathname + search, server?.url ?? victim?.address), init);
  };
  return {
    ...ground,
    client: new OpenAI({ apiKey: 'any', baseURL: 'http://any/v1', fetch: balanced, maxRetries: 5 }),
    struck,
    hasStruck: () => hasStruck,
    async close() {
      victim?.kill('SIGKILL');
      await rescued.catch(() => {});
      await Promise.all([...rescuers.map(worker => worker.close()), server?.close()]);
      await ground.clear();
    },
  };
}
