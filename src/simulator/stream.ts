import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { outputItem, pieces, responseBody } from './body.ts';
import type { SimulatedResponse } from './response.ts';

/** How often a stream checks whether its response was cancelled. */
const LOOK_MS = 20;

interface Planned {
  /** Milliseconds since 1970. */
  at: number;
  event: Record<string, unknown> & { type: string };
}

/** Sends a response's events as they happen, or replays them from the one after `startingAfter`. */
export async function streamEvents(
  reply: FastifyReply,
  response: SimulatedResponse,
  startingAfter = -1,
): Promise<void> {
  const { script } = response;
  reply.hijack();
  const socket = reply.raw;
  socket.writeHead(200, {
    ...(script.stream_type === '' ? {} : { 'content-type': script.stream_type }),
    ...(script.served_model ? { 'x-ms-served-model': script.served_model } : {}),
  });
  socket.flushHeaders();
  if (startingAfter < 0)
    for (let number = 0; number < script.keepalives; number += 1) {
      await send(socket, { type: 'keepalive' });
      await sleep(script.keepalive_ms / response.speed);
    }

  const plan = plannedEvents(response);
  const numbered = (event: { type: string }, number: number, sentBefore: number) => ({
    ...event,
    ...numberOf(script.numbers, number, sentBefore),
  });
  let sent = 0;
  for (let number = startingAfter + 1; number <= plan.length && !socket.destroyed; ) {
    if (response.streamsToDrop > 0 && sent >= (script.drop_after ?? Number.POSITIVE_INFINITY)) {
      response.streamsToDrop -= 1;
      if (script.drop === 'reset') socket.socket?.resetAndDestroy();
      else if (script.drop === 'silence') return;
      else socket.end();
      return;
    }
    const closing = closingEvent(response, number === plan.length);
    if (closing !== undefined) {
      if (closing) await send(socket, numbered(closing, number, sent));
      socket.end();
      return;
    }
    const next = plan[number];
    if (next && next.at <= response.time) {
      await send(socket, numbered(next.event, number, sent));
      number += 1;
      sent += 1;
    } else await sleep(LOOK_MS);
  }
  socket.end();
}

function numberOf(numbers: SimulatedResponse['script']['numbers'], number: number, sent: number) {
  switch (numbers) {
    case 'none':
      return {};
    case 'zero':
      return { sequence_number: 0 };
    case 'restart':
      return { sequence_number: sent };
    default:
      return { sequence_number: number };
  }
}

/** All events except the last one, which depends on what happens meanwhile. */
function plannedEvents(response: SimulatedResponse): Planned[] {
  const { createdAt, startsAt, naturalEnd, script } = response;
  const body = responseBody(response);
  const early = { ...body, output: [], usage: null, error: null, incomplete_details: null };
  const texts = pieces(response);
  const deltaAt = (number: number) => startsAt + ((naturalEnd - startsAt) * (number + 1)) / (texts.length + 1);
  const { begins, delta, ends } = itemEvents(outputItem(response), texts.join(''));
  return [
    { at: createdAt, event: { type: 'response.created', response: { ...early, status: 'queued' } } },
    { at: startsAt, event: { type: 'response.in_progress', response: { ...early, status: 'in_progress' } } },
    ...(script.odd_events ? [{ at: startsAt, event: { type: 'response.pondering', depth: 1 } }] : []),
    ...begins.map(event => ({ at: startsAt, event })),
    ...texts.map((text, number) => ({ at: deltaAt(number), event: delta(text) })),
    ...ends.map(event => ({ at: naturalEnd, event })),
  ];
}

interface ItemEvents {
  begins: Planned['event'][];
  delta: (text: string) => Planned['event'];
  ends: Planned['event'][];
}

/** The events of the one item of an output, with its text or its arguments. */
function itemEvents(item: ReturnType<typeof outputItem>, text: string): ItemEvents {
  const done = { type: 'response.output_item.done', output_index: 0, item };
  if ('arguments' in item) {
    const place = { item_id: item.id, output_index: 0 };
    const added = { ...item, status: 'in_progress', arguments: '' };
    return {
      begins: [{ type: 'response.output_item.added', output_index: 0, item: added }],
      delta: part => ({ type: 'response.function_call_arguments.delta', ...place, delta: part }),
      ends: [{ type: 'response.function_call_arguments.done', ...place, name: item.name, arguments: text }, done],
    };
  }
  const place = { item_id: item.id, output_index: 0, content_index: 0 };
  const emptyPart = { type: 'output_text', text: '', annotations: [], logprobs: [] };
  const added = { ...item, status: 'in_progress', content: [] };
  return {
    begins: [
      { type: 'response.output_item.added', output_index: 0, item: added },
      { type: 'response.content_part.added', ...place, part: emptyPart },
    ],
    delta: part => ({ type: 'response.output_text.delta', ...place, delta: part, logprobs: [] }),
    ends: [
      { type: 'response.output_text.done', ...place, text, logprobs: [] },
      { type: 'response.content_part.done', ...place, part: { ...emptyPart, text } },
      done,
    ],
  };
}

/** The last event. Undefined while the stream continues; null if the stream ends without one. */
function closingEvent(
  response: SimulatedResponse,
  allSent: boolean,
): { type: string; response: object } | null | undefined {
  const { status, script } = response;
  if (status === 'cancelled') {
    if (script.stream_cancel === 'failed') return { type: 'response.failed', response: responseBody(response) };
    if (script.stream_cancel === 'cancelled') return { type: 'response.cancelled', response: responseBody(response) };
    // As reported of the provider: no event mentions the cancel, and the run continues.
    return script.cancel === 'honour' ? null : undefined;
  }
  if (!allSent || status === 'queued' || status === 'in_progress') return undefined;
  // Only here, because a reader who is late asks for thousands of events after the end, and the body has the whole text.
  const body = responseBody(response);
  response.shownUsage = body.usage ?? response.shownUsage;
  return { type: `response.${status}`, response: body };
}

async function send(socket: ServerResponse, event: { type: string; sequence_number?: number }): Promise<void> {
  if (socket.destroyed) return;
  const isRoomLeft = socket.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  if (isRoomLeft) return;
  await new Promise<void>(resolve => {
    const go = () => {
      socket.off('drain', go).off('close', go);
      resolve();
    };
    socket.on('drain', go).on('close', go);
  });
}
