import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { StreamEvent } from '../../shared/contract/stream.ts';
import { orSilence } from './silence.ts';

/** Sends events as they come. They are pulled as fast as the client reads, so a slow client fills no buffer here. */
export function sendEvents(reply: FastifyReply, events: AsyncGenerator<StreamEvent, void>): FastifyReply {
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
      const heard = await orSilence(coming);
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
