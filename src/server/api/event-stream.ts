import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { StreamEvent } from '../../shared/contract/stream.ts';

/** Proxies close a connection on which nothing comes. */
const KEEPALIVE_MS = 15_000;

/**
 * Sends events as they come. Pulls them as fast as the client reads, so a slow one fills no buffer of ours. `leave` is
 * called when the reader has gone, or has all of them.
 */
export function sendEvents(
  reply: FastifyReply,
  subscribe: (signal: AbortSignal) => AsyncGenerator<StreamEvent, void>,
  leave: () => void,
): FastifyReply {
  // A reader that waits for an event would outlive its client until one comes.
  const gone = new AbortController();
  const onGone = () => {
    gone.abort();
    leave();
  };
  reply.raw.once('close', onGone);
  // Gone already, while we read or enqueued: nobody will tell us again.
  if (reply.raw.destroyed || reply.raw.closed) onGone();
  const events = subscribe(gone.signal);
  return reply
    .type('text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .send(Readable.from(textOf(events), { objectMode: false, highWaterMark: 1024 }));
}

async function* textOf(events: AsyncGenerator<StreamEvent, void>): AsyncGenerator<string, void> {
  try {
    let coming = events.next();
    for (;;) {
      const heard = await within(coming, KEEPALIVE_MS);
      if (heard === 'silent') {
        // A comment: no client takes it for an event.
        yield ': keepalive\n\n';
        continue;
      }
      if (heard.done) return;
      yield `event: ${heard.value.type}\ndata: ${JSON.stringify(heard.value)}\n\n`;
      coming = events.next();
    }
  } finally {
    // Also when the client has gone.
    await events.return().catch(() => {});
  }
}

async function within<Value>(coming: Promise<Value>, waitMs: number): Promise<Value | 'silent'> {
  const timer = new AbortController();
  const silence = sleep(waitMs, 'silent' as const, { signal: timer.signal }).catch(() => 'silent' as const);
  return await Promise.race([coming, silence]).finally(() => timer.abort());
}
