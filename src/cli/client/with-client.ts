import type { Producer } from '../../producer/producer.ts';
import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import { Telemetry } from '../../shared/runtime/telemetry.ts';
import type { Store } from '../../shared/store/store.ts';
import type { Client } from './client.ts';

export interface ClientFlags {
  /** The URL of a Headstone server. Without it, commands use Redis. */
  server?: string | undefined;
}

/** The command line that asks the same deployment. */
export function commandLine(command: string, { server }: ClientFlags): string {
  return `headstone ${command}${server === undefined ? '' : ` --server ${server}`}`;
}

/** Connects, does the work, and leaves nothing open. */
export async function withClient<Result>(
  { server }: ClientFlags,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { configuration, warnings } = loadConfiguration(process.env);
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  if (server !== undefined) {
    // These headers are meant for the provider, and the openai client would send them to the server.
    delete process.env.OPENAI_CUSTOM_HEADERS;
    const { HttpClient } = await import('./http-client.ts');
    return await work(new HttpClient(server, configuration));
  }
  const telemetry = new Telemetry();
  const { createProducer } = await import('../../producer/create-producer.ts');
  const producer = createProducer({ configuration, telemetry });
  sayWhenLost(producer, telemetry);
  try {
    return await work(producer);
  } finally {
    await producer.close();
  }
}

/** Does what only the store itself can answer, and leaves nothing open. */
export async function withStore<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
  return await withClient({}, client => work((client as Producer).store));
}

/** Says on standard error when the store goes away. If it was never there, the command's error says so. */
function sayWhenLost(producer: Producer, telemetry: Telemetry): void {
  const listen = () =>
    telemetry.subscribe(({ name }) => {
      if (name === 'store_lost') process.stderr.write('Redis is not answering. Waiting for it …\n');
    });
  producer.ready().then(listen, () => {});
}
