import { OpenAI } from 'openai';
import { createProducer } from '../../../src/producer/create-producer.ts';
import { startServer } from '../../../src/server/server.ts';
import { createWorker } from '../../../src/worker/create-worker.ts';
import { layGround } from '../scenes/ground.ts';
import type { Scene } from '../scenes/scenes.ts';
import type { Stage } from '../scenes/stage.ts';
import { type Loss, startLossyProxy } from './lossy-proxy.ts';

export interface LossyStage extends Stage {
  /** The names of the commands that were answered to the one whose answers may be lost, in order. */
  answered: string[];
}

/** A deployment in which a worker, or a server, once does not hear the answer to a command. */
export async function openLossyStage(scene: Scene, redisUrl: string, loss: Loss | null): Promise<LossyStage> {
  const ground = await layGround(redisUrl, scene.settings);
  const { configuration, telemetry, port } = ground;
  const proxy = await startLossyProxy(redisUrl, loss);
  const isWorker = scene.victim === 'worker';
  const worker = createWorker({ configuration, telemetry, ...(isWorker ? { connection: proxy.redisUrl } : {}) });
  await worker.start();
  const producer = createProducer({ configuration, telemetry, connection: proxy.redisUrl });
  const server = isWorker
    ? null
    : await startServer({ producer, configuration, telemetry, apiKeys: null, port, insecureListen: false });
  let hasStruck = false;
  void proxy.lost.then(() => {
    hasStruck = true;
  });
  return {
    ...ground,
    client: new OpenAI({ apiKey: 'any', baseURL: `${server?.url ?? 'http://none'}/v1`, maxRetries: 5 }),
    answered: proxy.answered,
    struck: proxy.lost,
    hasStruck: () => hasStruck,
    async close() {
      await Promise.all([worker.close(), server?.close()]);
      await producer.close();
      proxy.close();
      await ground.clear();
    },
  };
}
