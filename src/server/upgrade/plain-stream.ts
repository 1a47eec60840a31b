import type { FastifyReply } from 'fastify';
import type { Producer } from '../../producer/producer.ts';
import { closingEventTypes, type StreamEvent } from '../../shared/contract/stream.ts';
import { sendEvents } from '../api/event-stream.ts';
import { readKeptJob, sendJson } from '../api/find-job.ts';
import { orSilence } from '../api/silence.ts';
import type { Endings } from './plain-answer.ts';
import { errorOf } from './plain-outcome.ts';

/**
 * Answers a plain streamed create with the events of its job. Like the provider, it sends nothing before the run begins, so that
 * a refusal has its own HTTP status; but for no longer than proxies wait.
 */
export async function streamPlainly(
  reply: FastifyReply,
  producer: Producer,
  { id, gone }: { id: string; gone: AbortSignal },
  { refused }: Endings,
): Promise<FastifyReply> {
  const events = producer.subscribe(id, { signal: gone });
  // However this ends, the reader's place on the channels is given back.
  gone.addEventListener('abort', () => void events.return().catch(() => {}), { once: true });
  const created = await events.next();
  const second = events.next();
  second.catch(() => {});
  const heard = await orSilence(second);
  if (heard !== 'silent' && !heard.done && closingEventTypes.has(heard.value.type)) {
    const job = await readKeptJob(producer, id, id);
    const error = errorOf(job);
    const otherwise = await refused(job);
    if (otherwise) return otherwise;
    if (error) return sendJson(reply.code(error.status).header('x-should-retry', 'false'), JSON.stringify(error.body));
  }
  return sendEvents(reply, plainEvents(created, second, events));
}

async function* plainEvents(
  created: IteratorResult<StreamEvent, void>,
  second: Promise<IteratorResult<StreamEvent, void>>,
  rest: AsyncGenerator<StreamEvent, void>,
): AsyncGenerator<StreamEvent, void> {
  try {
    if (!created.done) yield plain(created.value);
    for (let next = await second; !next.done; next = await rest.next()) yield plain(next.value);
  } finally {
    await rest.return();
  }
}

/** An event as a plain create sends it. */
function plain(event: StreamEvent): StreamEvent {
  if (typeof event.response !== 'object' || event.response === null) return event;
  const { headstone, ...response } = event.response as Record<string, unknown>;
  return { ...event, response: { ...response, background: false } };
}
