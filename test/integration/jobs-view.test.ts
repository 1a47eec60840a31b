import { expect, test } from 'vitest';
import { continuationsOf } from '../../src/shared/store/continuations.ts';
import { scripted, startHarness } from '../support/harness.ts';

const request = (input: unknown, model = 'gpt-5.5') => ({ model, input });

test('a search finds a job by its id’s beginning, tag, model, tenant and the prompt’s beginning, and by nothing else', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const long = `${'The tides of the Wadden Sea, '.repeat(6)}and eels`;
  const [tides, plan] = await producer.enqueueMany([
    { request: request(long, 'o3'), options: { tenant: 'harbour', tags: ['nightly'] } },
    {
      request: request([
        { role: 'system', content: 'Be brief' },
        { role: 'user', content: [{ type: 'input_text', text: 'Plan a\nmigration' }] },
      ]),
    },
    { request: request('nothing of it') },
  ]);
  const found = async (search: string) =>
    (await producer.store.view({ sort: 'newest', search })).jobs.map(({ id }) => id);
  for (const text of [tides?.id.slice(0, 12) ?? '', 'nightly', 'o3', 'harbour', 'WADDEN sea'])
    expect(await found(text), text).toEqual([tides?.id]);
  expect(await found('Plan a migration')).toEqual([plan?.id]);
  // A prompt is kept up to its 120th character, and a tag is not found by a part of it.
  for (const text of ['eels', 'night', 'brief', '*', 'resp_nobody']) expect(await found(text), text).toEqual([]);
  expect((await producer.get(tides?.id ?? ''))?.preview).toBe(`${long.slice(0, 119)}…`);
});

test('I12: a tenant finds its own jobs only, by whichever text', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const { id } = await producer.enqueue(request('secret of harbour'), { tenant: 'harbour' });
  for (const search of [id, id.slice(0, 12), 'secret', 'harbour'])
    expect((await producer.store.view({ sort: 'newest', search, tenant: 'quay' })).jobs).toEqual([]);
});

test('a beginning that very many ids have shows the newest, and one that few have finds an old job behind them', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const old = await producer.enqueue(request('old'), { id: 'order-0-old' });
  for (let n = 0; n < 5; n += 1)
    await producer.enqueueMany(
      Array.from({ length: 450 }, (_, k) => ({ request: request('new'), options: { id: `order-1-${n}-${k}` } })),
    );
  const found = async (search: string) =>
    (await producer.store.view({ sort: 'newest', search })).jobs.map(({ id }) => id);
  expect(await found('order-0')).toEqual([old.id]);
  const newest = (await producer.list({ limit: 50 })).map(({ id }) => id);
  expect(await found('order-')).toEqual(newest);
});

test('an old job is found by the beginning of an id that Headstone drew, by one digit or by many, and one of the version before', async () => {
  const { producer, redis, prefixOf } = await startHarness({ workers: 0 });
  const [old] = await producer.enqueueMany([{ request: request('old') }]);
  const id = old?.id ?? '';
  const before = await producer.enqueue(request('before'));
  // The version before listed all ids in one index.
  const prefix = await prefixOf(before.id);
  await redis.zrem(`${prefix}:ids:${before.id.slice(5, 8)}`, before.id);
  await redis.zadd(`${prefix}:ids`, 0, before.id);
  for (let n = 0; n < 5; n += 1)
    await producer.enqueueMany(Array.from({ length: 450 }, () => ({ request: request('new') })));
  const found = async (search: string) =>
    (await producer.store.view({ sort: 'oldest', search })).jobs.map(job => job.id);
  for (const digits of [1, 2, 3, 4, 12, 32]) expect(await found(id.slice(0, 5 + digits)), `${digits}`).toContain(id);
  expect(await found(before.id.slice(0, 17))).toEqual([before.id]);
});

test('with HEADSTONE_PROMPT_PREVIEW=0 nothing of a prompt is in the record; a deleted result takes it out', async () => {
  const { producer } = await startHarness({ workers: 0, env: { HEADSTONE_PROMPT_PREVIEW: '0' } });
  const { id } = await producer.enqueue(request('not to be kept'));
  expect((await producer.get(id))?.preview).toBeNull();
  const { producer: keeping, redis, prefixOf } = await startHarness({ workers: 0 });
  const kept = await keeping.enqueue(request(`to be kept, and deleted: ${'x'.repeat(90)}`));
  expect((await keeping.get(kept.id))?.preview).toContain('to be kept');
  await keeping.cancel(kept.id);
  await keeping.deleteResult(kept.id);
  expect(JSON.stringify(await redis.hgetall(`${await prefixOf(kept.id)}:job:${kept.id}`))).not.toContain('to be kept');
});

test('times bound a list from both sides, and the pages of a view have every job once', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const ids: string[] = [];
  for (let n = 0; n < 3; n += 1)
    for (const { id } of await producer.enqueueMany(
      Array.from({ length: 40 }, (_, k) => ({ request: request(`${n} ${k}`) })),
    ))
      ids.push(id);
  const all = await producer.list({ limit: 1000 });
  const [at, until] = [all[79]?.created_at ?? 0, all[40]?.created_at ?? 0].map(ms => new Date(ms).toISOString());
  const between = await producer.list({ since: at, until, limit: 1000 });
  expect(between.map(({ id }) => id)).toEqual(
    all.filter(({ created_at: ms }) => ms >= Date.parse(at ?? '') && ms <= Date.parse(until ?? '')).map(({ id }) => id),
  );
  expect(between.length).toBeGreaterThanOrEqual(40);
  expect(await producer.list({ until: '2020-01-01' })).toEqual([]);
  // As the page suggests, without seconds.
  expect(await producer.list({ since: '2020-01-01T08:30Z', limit: 1000 })).toHaveLength(120);
  await expect(producer.list({ since: '2026-02-02', until: '2026-02-01' })).rejects.toThrow('since is after until');
  for (const sort of ['newest', 'oldest'] as const) {
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const view = await producer.store.view({ sort, after });
      seen.push(...view.jobs.map(({ id }) => id));
      if (view.next === null) break;
      after = view.next;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    const times = new Map(all.map(({ id, created_at }) => [id, created_at]));
    const inOrder = seen.map(id => times.get(id) ?? 0);
    expect(inOrder).toEqual(inOrder.toSorted((a, b) => (sort === 'newest' ? b - a : a - b)));
  }
});

test('one view looks at a bounded number of records, says so, and the next one goes on', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const needle = await producer.enqueue(request('the needle'));
  for (let n = 0; n < 5; n += 1)
    await producer.enqueueMany(Array.from({ length: 500 }, (_, k) => ({ request: request(`hay ${n} ${k}`) })));
  const first = await producer.store.view({ sort: 'newest', search: 'the needle' });
  expect(first).toMatchObject({ jobs: [], looked: 2000 });
  const second = await producer.store.view({ sort: 'newest', search: 'the needle', after: first.next ?? '' });
  expect(second).toMatchObject({ jobs: [{ id: needle.id }], next: null });
});

test('counts, tokens and costs: the longest, the dearest, and how many there are of each status', async () => {
  const { producer } = await startHarness();
  const of = (tokens: number, duration: number) => ({
    request: {
      ...request('sum'),
      metadata: { sim: JSON.stringify({ duration_ms: duration, input_tokens: 10, output_tokens: tokens }) },
    },
    options: { tenant: 'harbour', tags: ['sums'] },
  });
  const [dear, long] = await producer.enqueueMany([of(9000, 50), of(10, 900), of(20, 50)]);
  for (const job of [dear, long]) await producer.wait(job?.id ?? '');
  const { id } = await producer.enqueue(request('stuck'), { tenant: 'quay' });
  await producer.cancel(id);
  const view = async (query: object) => await producer.store.view({ sort: 'newest', ...query });
  const [first] = (await view({ sort: 'dearest' })).jobs;
  expect(first).toMatchObject({ id: dear?.id, total_tokens: 9010 });
  expect((await view({ sort: 'longest' })).jobs[0]).toMatchObject({ id: long?.id, total_tokens: 20 });
  expect((await view({ tenant: 'harbour' })).counts).toMatchObject({ completed: 3, cancelled: 0 });
  expect((await view({})).counts).toMatchObject({ completed: 3, cancelled: 1 });
  expect((await view({ model: 'o3' })).counts).toBeNull();
});

test('I12: the jobs that continue a job are known over all lanes, the newest first, and to its tenant only', async () => {
  const { producer, redis, prefixOf } = await startHarness({ env: { HEADSTONE_LANES: '3' } });
  const { id: first } = await producer.enqueue(scripted({}, 'The first'), { tenant: 'harbour' });
  await producer.wait(first);
  const job = await producer.get(first);
  if (!job) throw new Error('The job is not on record.');
  expect(await continuationsOf(producer.store, job, 10)).toEqual([]);
  const next = { ...scripted({}, 'A later turn'), previous_response_id: first };
  const ids: string[] = [];
  for (let n = 0; n < 6; n += 1) ids.unshift((await producer.enqueue(next, { tenant: 'harbour' })).id);
  expect(await continuationsOf(producer.store, job, 10)).toEqual(ids);
  expect(await continuationsOf(producer.store, job, 2)).toEqual(ids.slice(0, 2));
  expect(await continuationsOf(producer.store, { ...job, tenant: 'quay' }, 10)).toEqual([]);
  // The record of one has expired.
  const [newest = '', ...others] = ids;
  await redis.unlink(`${await prefixOf(newest)}:job:${newest}`);
  expect(await continuationsOf(producer.store, job, 10)).toEqual(others);
});

test('I12: what a view says and leads on to is of its tenant alone, whoever else uses a tag or a beginning of an id', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const of = (tenant: string, count: number) =>
    producer.enqueueMany(
      Array.from({ length: count }, (_, n) => ({
        request: request(`${tenant} ${n}`),
        options: { tenant, tags: ['shared'], id: `order-${tenant}-${n}` },
      })),
    );
  await of('harbour', 3);
  for (let n = 0; n < 5; n += 1)
    await producer.enqueueMany(
      Array.from({ length: 500 }, () => ({ request: request('quay'), options: { tenant: 'quay', tags: ['shared'] } })),
    );
  await of('quay', 40);
  // The tenant's index is made the larger one, so that the walk goes by the tag.
  for (let n = 0; n < 6; n += 1)
    await producer.enqueueMany(
      Array.from({ length: 500 }, () => ({ request: request('other'), options: { tenant: 'harbour' } })),
    );
  const view = (query: object) => producer.store.view({ sort: 'newest', tenant: 'harbour', ...query });
  const first = await view({ tag: 'shared' });
  expect(first).toMatchObject({ jobs: [], looked: 0 });
  const second = await view({ tag: 'shared', after: first.next });
  expect(second.jobs.map(({ id }) => id)).toEqual(['order-harbour-2', 'order-harbour-1', 'order-harbour-0']);
  expect((await view({ search: 'order-', tag: 'shared', sort: 'longest' })).looked).toBe(3);
});

test('a job that is found by its id is on the first page, and on no later one', async () => {
  const { producer } = await startHarness({ workers: 0 });
  await producer.enqueue(request('an order that is old'), { id: 'order-1' });
  await producer.enqueueMany(Array.from({ length: 120 }, (_, n) => ({ request: request(`about order ${n}`) })));
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const { jobs, next } = await producer.store.view({ sort: 'newest', search: 'order', after });
    seen.push(...jobs.map(({ id }) => id));
    if (next === null) break;
    after = next;
  }
  expect(seen[0]).toBe('order-1');
  expect(seen).toHaveLength(121);
  expect(new Set(seen).size).toBe(121);
});
