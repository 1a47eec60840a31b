import { expect, test } from 'vitest';
import { scripted, startHarness } from '../support/harness.ts';

test('I1: after a cancel that won, a thousand reads, the queues and the channel never show the result that came anyway', async () => {
  const { producer, happened, redis, prefix, prefixOf } = await startHarness();
  const { id } = await producer.enqueue(scripted({ duration_ms: 400, flip_after_ms: 300 }));
  await happened('launch_acknowledged');
  expect(await producer.cancel(id, { reason: 'wrong prompt', actor: 'alice' })).toEqual({ verdict: 'cancelled' });

  const reads = Array.from({ length: 1000 }, async () => (await producer.get(id))?.status);
  expect(new Set(await Promise.all(reads))).toEqual(new Set(['cancelled']));
  await happened('late_result_dropped');
  await happened('tokens_wasted');

  const after = Array.from({ length: 1000 }, () => producer.get(id));
  for (const job of await Promise.all(after)) {
    expect(job?.status).toBe('cancelled');
    expect(job?.response).toBeNull();
  }
  expect(await producer.wait(id)).toMatchObject({ status: 'cancelled', tombstone: { actor: 'alice' } });
  expect(await producer.cancel(id)).toEqual({ verdict: 'already_cancelled' });
  expect(await redis.exists(`${await prefixOf(id)}:result:${id}`)).toBe(0);
  await expect(everyValue(redis, prefix)).resolves.not.toContain('Here is what there is to say');
});

test('I1: nothing can be chained from a cancelled job, by our id or by the provider’s', async () => {
  const { producer, happened } = await startHarness();
  const { id } = await producer.enqueue(scripted({ duration_ms: 300, flip_after_ms: 200 }));
  const { response_id } = await happened('launch_acknowledged');
  await producer.cancel(id);
  await happened('tokens_wasted');
  for (const previous of [id, response_id])
    await expect(producer.enqueue({ ...scripted(), previous_response_id: previous })).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'previous_response_id',
    });
});

test('I1: a result can be chained, and the provider gets its own id', async () => {
  const { producer, simulatorLedger } = await startHarness();
  const first = await producer.enqueue(scripted());
  await producer.wait(first.id);
  const second = await producer.enqueue({ ...scripted({}, 'Go on'), previous_response_id: first.id });
  const done = await producer.wait(second.id);
  const [upstream] = (await simulatorLedger()).responses;
  expect(done).toMatchObject({ status: 'completed', response: { previous_response_id: upstream?.response_id } });
});

async function everyValue(redis: import('ioredis').Redis, prefix: string): Promise<string> {
  const values: string[] = [];
  for await (const keys of redis.scanStream({ match: `${prefix}*` }))
    for (const key of keys as string[]) {
      const type = await redis.type(key);
      if (type === 'string') values.push((await redis.get(key)) ?? '');
      if (type === 'hash') values.push(...Object.values(await redis.hgetall(key)));
      if (type === 'list') values.push(...(await redis.lrange(key, 0, -1)));
      if (type === 'stream') values.push(JSON.stringify(await redis.xrange(key, '-', '+')));
    }
  return values.join('\n');
}
