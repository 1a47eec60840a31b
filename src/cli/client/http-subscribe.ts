import { setTimeout as sleep } from 'node:timers/promises';
import { closingEventTypes, type StreamEvent, type SubscribeOptions } from '../../shared/contract/stream.ts';
import type { ServerConnection } from './server-connection.ts';
import { mayPass } from './server-errors.ts';

const RETRY_MS = 1000;

/** The events of a response, each once. A server that goes away after its first answer is waited for, because the job goes on. */
export async function* subscribeOverHttp(
  server: ServerConnection,
  path: string,
  { after, signal }: SubscribeOptions,
): AsyncGenerator<StreamEvent, void> {
  let cursor = after;
  let hasAnswered = false;
  let isAway = false;
  for (;;) {
    try {
      for await (const event of server.events(path, { stream: true, starting_after: cursor }, signal)) {
        hasAnswered = true;
        isAway = false;
        cursor = event.sequence_number;
        yield event;
        if (closingEventTypes.has(event.type)) return;
      }
      if (!hasAnswered) throw server.foreign();
    } catch (error) {
      if (!hasAnswered || !mayPass(error)) throw error;
      if (!isAway) process.stderr.write('The server is not answering. Trying again …\n');
      isAway = true;
    }
    await sleep(RETRY_MS, undefined, signal ? { signal } : {});
  }
}
