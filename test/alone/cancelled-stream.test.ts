import { expect, test } from 'vitest';
import type { Producer } from '../../src/producer/producer.ts';
import type { StreamEvent } from '../../src/shared/contract/stream.ts';
import { scripted, startHarness } from '../support/harness.ts';

async function typesHeard(producer: Producer, id: string): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of producer.subscribe(id)) types.push(type);
  return types;
}

test('I1: a cancel ends every reader’s stream at once; nothing follows, and no late reader sees what was said', async () => {
  const { producer, happened, redis, prefixOf } = await startHarness();
  const { id } = await producer.enqueue({
    ...scripted({ duration_ms: 1500, deltas: 60, flip_after_ms: 100 }),
    stream: true,
  });
  const seen: StreamEvent[] = [];
  let cancelledAt = 0;
  const readers = Array.from({ length: 10 }, async (_, reader) => {
    for await (const event of producer.subscribe(id)) {
      if (reader === 0) seen.push(event);
      if (cancelledAt > 0) expect(event.type).toBe('response.failed');
      if (reader === 0 && seen.length === 10) {
        await producer.cancel(id, { reason: 'wrong prompt' });
        cancelledAt = performance.now();
      }
    }
    return performance.now();
  });
  for (const endedAt of await Promise.all(readers)) expect(endedAt - cancelledAt).toBeLessThan(1000);
  expect(seen.at(-1)).toMatchObject({ type: 'response.failed', response: { id, status: 'cancelled', output: [] } });
  expect(await redis.exists(`${await prefixOf(id)}:events:${id}`)).toBe(0);
  expect(await typesHeard(producer, id)).toEqual(['response.created', 'response.failed']);
  const { total_tokens } = await happened('tokens_wasted');
  expect(total_tokens).toBeGreaterThan(0);
  expect(await typesHeard(producer, id)).toEqual(['response.created', 'response.failed']);
  expect(await redis.exists(`${await prefixOf(id)}:events:${id}`)).toBe(0);
});
