import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';

const keys = { alice: 'key-of-alice-0123456789', bob: 'key-of-bob-0123456789ab' };
const apiKeys = [
  { name: 'alice', key: keys.alice, tenant: 'harbour', admin: false },
  { name: 'bob', key: keys.bob, tenant: 'museum', admin: false },
];

test('a request runs again as a new job with the same body, tags and options; the same wish twice is one job', async () => {
  const { producer, simulatorLedger } = await startFrontDoor();
  const request = { ...scripted({}, 'Tides'), temperature: 0.25 };
  const options = { tenant: 'harbour', tags: ['report'], attempts: 2, onHold: 'fail' as const };
  const { id } = await producer.enqueue(request, options);
  await producer.wait(id);
  const again = await producer.retry(id, { key: 'one wish' });
  expect(await producer.retry(id, { key: 'one wish' })).toMatchObject({ id: again.id });
  expect((await producer.retry(id)).id).not.toBe(again.id);
  expect(again.id).not.toBe(id);
  await producer.wait(again.id);
  expect(await producer.request(again.id)).toEqual(await producer.request(id));
  expect(await producer.get(again.id)).toMatchObject({ tenant: 'harbour', tags: ['report'], status: 'completed' });
  expect((await producer.store.record(again.id))?.on_hold).toBe('fail');
  expect((await simulatorLedger()).creates).toBe(3);
});

test('I12: over HTTP a tenant retries its own jobs only, and a key of idempotency makes one job', async () => {
  const { server, producer } = await startFrontDoor({ workers: 0, apiKeys });
  const { id } = await producer.enqueue(scripted({}, 'Tides'), { tenant: 'harbour' });
  await expect(producer.retry(id)).rejects.toThrow('has not ended');
  await producer.cancel(id);
  const retry = async (key: string, job: string, headers = {}) => {
    const url = `${server.url}/v1/jobs/${job}/retry`;
    const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${key}`, ...headers } });
    return { status: answer.status, body: (await answer.json()) as { id: string } };
  };
  expect((await retry(keys.bob, id)).status).toBe(404);
  const once = { 'idempotency-key': 'again' };
  const first = await retry(keys.alice, id, once);
  expect(first).toMatchObject({ status: 200, body: { status: 'queued' } });
  expect((await retry(keys.alice, id, once)).body.id).toBe(first.body.id);
  expect((await producer.get(first.body.id))?.tenant).toBe('harbour');
});

test('a request that is no longer kept cannot run again, and that is said', async () => {
  const { producer } = await startFrontDoor({ workers: 0 });
  const { id } = await producer.enqueue(scripted());
  await producer.cancel(id);
  await producer.deleteResult(id);
  await expect(producer.retry(id)).rejects.toThrow('is not kept, so it cannot run again');
  await expect(producer.retry('nobody')).rejects.toThrow('There is no job nobody');
});
