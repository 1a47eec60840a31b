import { OpenAI } from 'openai';
import { onTestFinished } from 'vitest';
import { type RunningServer, startServer } from '../../src/server/server.ts';
import type { ApiKey } from '../../src/shared/runtime/setting-formats.ts';
import { type Harness, type HarnessOptions, startHarness } from './harness.ts';

export interface FrontDoor extends Harness {
  server: RunningServer;
  clientOf(key: string): OpenAI;
  /** A client without a key. */
  client: OpenAI;
}

/** A harness with the HTTP server in front of it. */
export async function startFrontDoor(options: HarnessOptions & { apiKeys?: ApiKey[] | null } = {}): Promise<FrontDoor> {
  const harness = await startHarness(options);
  const { producer, configuration, telemetry } = harness;
  const server = await startServer({
    producer,
    configuration,
    telemetry,
    apiKeys: options.apiKeys ?? null,
    port: 0,
    insecureListen: false,
  });
  onTestFinished(() => server.close());
  const clientOf = (apiKey: string) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 });
  return { ...harness, server, clientOf, client: clientOf('any') };
}
