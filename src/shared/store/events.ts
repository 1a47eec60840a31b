import { setImmediate as nextTurn } from 'node:timers/promises';
import { streamEventSchema, type UpstreamEvent } from '../contract/stream.ts';
import type { Lane } from './lane.ts';

/** Events of a stream that its follower wrote in one step, in order. */
export interface Batch {
  /** The sequence number before the first of them. */
  after: number;
  last: number;
  events: (UpstreamEvent & { sequence_number: number })[];
}

/**
 * A batch has up to 256 KB, and a reader holds one page of them, so that a reader of a long stream delays nobody else, and one that
 * does not read takes little memory (I9).
 */
const PAGE = 1;

/** The first page of the stored batches with events past `after`. */
export async function readBatches(store: Lane, id: string, after: number): Promise<Batch[]> {
  // An entry's id is one past its last event.
  const from = `(${after + 1}-0`;
  const entries = await store.ask(client => client.xrange(store.keys.events(id), from, '+', 'COUNT', PAGE));
  return entries.map(([entryId, fields]) => parseBatch(entryId, fields));
}

export async function readAllBatches(store: Lane, id: string): Promise<Batch[]> {
  const all: Batch[] = [];
  for (;;) {
    const page = await readBatches(store, id, all.at(-1)?.last ?? -1);
    all.push(...page);
    if (page.length < PAGE) return all;
    await nextTurn();
  }
}

function parseBatch(entryId: string, fields: string[]): Batch {
  const field = (name: string) => fields[fields.indexOf(name) + 1] ?? '';
  const events = streamEventSchema.array().parse(JSON.parse(field('events')));
  return {
    after: Number(field('after')),
    last: Number(entryId.split('-')[0]) - 1,
    events: events.map(event => ({ ...event, sequence_number: event.sequence_number ?? 0 })),
  };
}
