// What processes do that have not heard of a raise yet, or that slept through one.
import { expect, onTestFinished, test } from 'vitest';
import { createProducer } from '../../src/producer/create-producer.ts';
import { scopedId } from '../../src/producer/ids.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { scripted, startHarness } from '../support/harness.ts';

const startLanes = async (lanes: number) => await startHarness({ workers: 0, env: { HEADSTONE_LANES: String(lanes) } });

test('I6: a create that comes after a raise and is sent three times is one job', async () => {
  const { producer } = await startLanes(2);
  await producer.ready();
  await producer.store.raiseLanes(4);
  const { idOfSend } = await import('../../src/server/api/resends.ts');
  for (let n = 0; n < 20; n += 1) {
    const ids = new Set<string>();
    for (const count of [0, 1, 2]) ids.add(await idOfSend(producer.store, { digest: `digest-${n}`, count }));
    expect(ids.size).toBe(1);
  }
});

test('I6: an id that the app has enqueued before a raise is the same job when its tenant creates it over HTTP', async () => {
  const { producer } = await startLanes(1);
  const ids = Array.from({ length: 8 }, (_, n) => `report-${n}`);
  await producer.enqueueMany(ids.map(id => ({ request: scripted(), options: { id, tenant: 'harbour' } })));
  await producer.store.raiseLanes(4);
  const again = async (chosenId: string, tenant: string) => {
    const { id, lanes } = await scopedId(producer.store, tenant, chosenId);
    const caller = { chosenId, lanes, sharesAccount: false };
    const [result] = await producer.enqueueMany([{ request: scripted(), options: { id, tenant }, caller }]);
    return result;
  };
  for (const id of ids) {
    expect(await again(id, 'harbour')).toMatchObject({ id, error: null });
    expect((await again(id, 'quay'))?.id).not.toBe(id);
  }
  expect(await producer.list({ tenant: 'harbour' })).toHaveLength(ids.length);
});

test('a pause by a process that has not heard of new lanes pauses them too', async () => {
  const harness = await startLanes(2);
  const { producer } = harness;
  await producer.ready();
  const { configuration } = loadConfiguration({});
  const other = createProducer({ connection: harness.redisUrl, prefix: harness.prefix, configuration });
  onTestFinished(() => other.close());
  await other.store.learnPlan();
  await producer.store.raiseLanes(4);
  await other.pauseLaunch(true);
  const lanes = await producer.store.allLanes();
  expect(await Promise.all(lanes.map(({ queues }) => queues.launch.isPaused()))).toEqual([true, true, true, true]);
});

test('I3: a claim that is over adopts nothing, because another lane may have adopted the response since', async () => {
  const { producer } = await startLanes(2);
  const wish = { tenant: 'default', tags: '[]', tag_list: [], model: 'm', deadline_ms: 1000 };
  const lane = await producer.store.laneOf('late');
  await lane.ready();
  const adopt = async (id: string, claimed_until: number) =>
    (await lane.run('adopt', { id, response_id: `resp_${id}`, ...wish, claimed_until })).reply;
  expect(await adopt('late', lane.now() - 1000)).toBe('late');
  expect(await adopt('timely', lane.now() + 30_000)).toBe('adopted');
});
