import type { FastifyReply } from 'fastify';

/**
 * A signal for when the connection of a request closes, because the client has gone or because it has its whole answer.
 * Without it, whoever waits for an event would outlive the client until one comes. `onGone` is called once.
 */
export function whenGone({ raw }: FastifyReply, onGone: () => void): AbortSignal {
  const gone = new AbortController();
  const end = () => {
    if (gone.signal.aborted) return;
    gone.abort();
    onGone();
  };
  raw.once('close', end);
  // The client may have gone already, while the job was read or enqueued.
  if (raw.destroyed || raw.closed) end();
  return gone.signal;
}
