import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { StreamEvent } from '../../shared/contract/stream.ts';

/** Proxies close a connection on which nothing is sent. */
const KEEPALIVE_MS = 15_000;

/**
 * Sends events as they come. They are pulled as fast as the client reads, so a slow client fills no buffer here. `leave` is
 * called when the reader has gone or has received all of them.
 */
export function sendEvents(
  reply: FastifyReply,
  subscribe: (signal: AbortSignal) => AsyncGenerator<StreamEvent, void>,
  leave: () => void,
): FastifyReply {
  // Without this, a reader that waits for an event would outlive its client until one comes.
  const gone = new AbortController();
  const onGone = () => {
    gone.abort();
    leave();
  };
  reply.raw.once('close', onGone);
  // The client may have gone already, while the job was read or enqueued.
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
        // This is a comment, which no client takes for an event.
        yield ': keepalive\n\n';
        continue;
      }
      if (heard.done) return;
      yield `event: ${heard.value.type}\ndata: ${JSON.stringify(heard.value)}\n\n`;
      coming = events.next();
    }
  } finally {
    // This runs when the client has gone, too.
    await events.return().catch(() => {});
  }
}

async function within<Value>(coming: Promise<Value>, waitMs: number): Promise<Value | 'silent'> {
  const timer = new AbortController();
  const silence = sleep(waitMs, 'silent' as const, { signal: timer.signal }).catch(() => 'silent' as const);
  return await Promise.race([coming, silence]).finally(() => timer.abort());
}
