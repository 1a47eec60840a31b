import { createProducer } from '../../producer/create-producer.ts';
import type { Producer } from '../../producer/producer.ts';
import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import { Telemetry } from '../../shared/runtime/telemetry.ts';
import type { Client } from './client.ts';
import { HttpClient } from './http-client.ts';

export interface ClientFlags {
  /** Speak HTTP to this Headstone; without it, to Redis. */
  server?: string | undefined;
}

/** A command as it has to be typed to ask the same deployment. */
export function typed(command: string, { server }: ClientFlags): string {
  return `headstone ${command}${server === undefined ? '' : ` --server ${server}`}`;
}

/** For a command that asks one thing: connects, does it, and leaves nothing open. */
export async function withClient<Result>(
  { server }: ClientFlags,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { configuration, warnings } = loadConfiguration(process.env);
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  if (server !== undefined) {
    // Meant for the provider, and the openai client would send it to whomever it speaks to.
    delete process.env.OPENAI_CUSTOM_HEADERS;
    return await work(new HttpClient(server, configuration));
  }
  const telemetry = new Telemetry();
  const producer = createProducer({ configuration, telemetry });
  sayWhenLost(producer, telemetry);
  try {
    return await work(producer);
  } finally {
    await producer.close();
  }
}

/** Whoever waits must know for what. A store that was never there is told by the error itself. */
function sayWhenLost(producer: Producer, telemetry: Telemetry): void {
  const listen = () =>
    telemetry.subscribe(({ name }) => {
      if (name === 'store_lost') process.stderr.write('Redis is away; waiting until it answers.\n');
    });
  producer.ready().then(listen, () => {});
}
