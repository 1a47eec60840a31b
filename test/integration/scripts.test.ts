import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineScript } from '../../src/shared/store/lua/script.ts';
import { idOfEntry } from '../../src/shared/store/queues.ts';
import { slotRetryMs } from '../../src/worker/stream-slots.ts';
import {
  acceptJob,
  intendJob,
  listOf,
  observed,
  openStores,
  redisOf,
  relaunch,
  runJob,
  wasteOf,
} from '../support/store.ts';

const RACES = 2000;

test(`accept: the same id from two processes is one job, and another request a conflict, ${RACES} times`, async () => {
  const { store, other } = await openStores();
  const wish = (id: string, fingerprint: string, tenant = 'default') =>
    ({
      id,
      tenant,
      tags: '[]',
      tag_list: [],
      model: 'm',
      fingerprint,
      deadline_ms: 60_000,
      priority: 0,
      attempts: 1,
      on_unknown: 'fail',
      stream: false,
    }) as const;
  for (let race = 0; race < RACES; race += 1) {
    const id = `job-${race}`;
    const replies = await Promise.all([store.run('accept', wish(id, 'same')), other.run('accept', wish(id, 'same'))]);
    expect(replies.map(({ reply }) => reply).sort()).toEqual(['accepted', 'same']);
  }
  expect((await store.run('accept', wish('job-0', 'different'))).reply).toBe('conflict');
  expect((await store.run('accept', wish('job-0', 'same', 'somebody'))).reply).toBe('taken');
  expect(await redisOf(store).zcard(store.keys.status('queued'))).toBe(RACES);
}, 60_000);

test('I1, I6: accept that is sent again after a lost answer finds the job, whatever became of it, and changes nothing', async () => {
  const { store } = await openStores();
  const send = (id: string) =>
    store.run('accept', {
      id,
      tenant: 'default',
      tags: '[]',
      tag_list: [],
      model: 'm',
      fingerprint: 'f',
      deadline_ms: 60_000,
      priority: 0,
      attempts: 1,
      on_unknown: 'fail',
      stream: false,
      is_new: true,
    });
  await send('cancelled');
  await store.run('decide', { id: 'cancelled', status: 'cancelled', cause: 'cancelled' });
  expect(await send('cancelled')).toMatchObject({ reply: 'same', status: 'cancelled' });
  expect((await store.run('intend', { id: 'cancelled', token: 't', max_in_flight: 10 })).reply).toBe('final');
  await send('launching');
  await intendJob(store, 'launching');
  expect(await send('launching')).toMatchObject({ reply: 'same', status: 'launching' });
  expect(await redisOf(store).llen(store.queues.launch.toKey('wait'))).toBe(2);
});

test(`resolve: of a refusal and an id that meet, the id is kept and the job runs once, ${RACES} times`, async () => {
  const { store, other } = await openStores();
  for (let race = 0; race < RACES; race += 1) {
    const id = `job-${race}`;
    await acceptJob(store, id);
    const epoch = await intendJob(store, id);
    const unknown = () =>
      store.run('resolve', { id, epoch, how: 'unknown', code: 'worker_lost', grace_ms: 1000, witnessed: false });
    const launched = () =>
      other.run('acknowledge', {
        id,
        epoch,
        response_id: `resp_${race}`,
        first_poll_ms: 10,
        observation: observed('queued'),
      });
    await Promise.all(race % 2 === 0 ? [unknown(), launched()] : [launched(), unknown()]);
    const record = await store.record(id);
    expect(record).toMatchObject({ status: 'running', response_id: `resp_${race}` });
    expect(record?.unknown_at).toBeUndefined();
  }
}, 60_000);

test(`rerun: a failed run that two workers see starts one more launch, ${RACES} times`, async () => {
  const { store, other } = await openStores();
  for (let race = 0; race < RACES; race += 1) {
    const id = `job-${race}`;
    await runJob(store, id, `resp_${race}`, { attempts: 3 });
    const again = (side: typeof store) =>
      side.run('rerun', {
        id,
        code: 'server_error',
        response_id: `resp_${race}`,
        counts: true,
        observation: observed('failed', 50),
        due_in_ms: 0,
      });
    const replies = await Promise.all([again(store), again(other)]);
    expect(replies.map(({ reply }) => reply).sort()).toEqual(['queued', 'stale']);
    expect(await store.row(`resp_${race}`)).toMatchObject({ kind: 'wasted', cause: 'failed' });
  }
}, 60_000);

test('rerun: paid launches are counted, and the last one is the last', async () => {
  const { store } = await openStores();
  await runJob(store, 'job', 'resp_1', { attempts: 2 });
  const failed = (responseId: string, counts: boolean) =>
    store.run('rerun', {
      id: 'job',
      code: 'server_error',
      response_id: responseId,
      counts,
      observation: observed('failed'),
      due_in_ms: 0,
    });
  expect((await failed('resp_1', false)).reply).toBe('queued');
  await relaunch(store, 'job', 'resp_2');
  expect((await failed('resp_2', true)).reply).toBe('queued');
  await relaunch(store, 'job', 'resp_3');
  expect((await failed('resp_3', true)).reply).toBe('exhausted');
});

test(`charge: usages that meet leave the largest, and the sums are the sums of the rows, ${RACES} times`, async () => {
  const { store, other } = await openStores();
  for (let race = 0; race < RACES / 10; race += 1) {
    const id = `job-${race}`;
    const responseId = `resp_${race}`;
    await runJob(store, id, responseId);
    await store.run('decide', { id, status: 'cancelled', cause: 'cancelled', actor: `actor-${race % 3}` });
    const looks = Array.from({ length: 10 }, (_, position) => 100 + ((position * 7 + race) % 10));
    await Promise.all(
      looks.map((tokens, position) =>
        (position % 2 === 0 ? store : other).run('charge', {
          response_id: responseId,
          observation: observed('completed', tokens),
        }),
      ),
    );
    expect(await store.row(responseId)).toMatchObject({
      status: 'final',
      usage: { total_tokens: 109 },
      cost_usd_micros: 327,
    });
  }
  const { data, totals } = await wasteOf(store, { groupBy: 'actor' });
  expect(totals).toMatchObject({ responses: 200, total_tokens: 200 * 109, cost_usd_micros: 200 * 327, unknown: 0 });
  expect(data.reduce((sum, group) => sum + group.total_tokens, 0)).toBe(totals.total_tokens);
}, 60_000);

test('intend: the caps and the holds are checked in the step that writes the intent', async () => {
  const { store } = await openStores();
  await runJob(store, 'first', 'resp_1');
  await acceptJob(store, 'second');
  expect((await store.run('intend', { id: 'second', token: 't', max_in_flight: 1 })).reply).toBe('full');
  const epoch = await intendJob(store, 'second');
  const hold = { of: 'model', kind: 'rate', code: 'rate_limit_exceeded', for_ms: 60_000 } as const;
  const refusal = { how: 'refused', next: 'queued', code: 'rate_limit_exceeded', due_in_ms: 0, hold } as const;
  expect(await store.run('resolve', { id: 'second', epoch, ...refusal })).toMatchObject({
    reply: 'queued',
    held_ms: 60_000,
  });
  await acceptJob(store, 'third');
  expect(await store.run('intend', { id: 'third', token: 't', max_in_flight: 9 })).toEqual({
    reply: 'held',
    scope: 'model:gpt-5.5',
  });
  expect((await store.run('release', { scope: 'model:gpt-5.5', limit: 10 })).reply).toBe('held');
  expect(await redisOf(store).zcard(`${store.keys.prefix}:parked:model:gpt-5.5`)).toBe(2);
  // A cancelled job is no longer parked.
  await store.run('decide', { id: 'third', status: 'cancelled', cause: 'cancelled' });
  expect(await redisOf(store).zcard(`${store.keys.prefix}:parked:model:gpt-5.5`)).toBe(1);
});

test('resolve: rate limits that do not say how long hold for 5 s, then twice as long each time, until a launch passes', async () => {
  const { store } = await openStores();
  const hold = { of: 'model', kind: 'rate', code: 'rate_limit_exceeded' } as const;
  let jobs = 0;
  const refused = async () => {
    jobs += 1;
    await acceptJob(store, `job-${jobs}`);
    const epoch = await intendJob(store, `job-${jobs}`);
    const refusal = { how: 'refused', next: 'queued', code: hold.code, due_in_ms: 0, hold } as const;
    const reply = await store.run('resolve', { id: `job-${jobs}`, epoch, ...refusal });
    // As if its time had passed.
    await redisOf(store).hset(store.keys.hold('model:gpt-5.5'), 'until', 0);
    return 'held_ms' in reply ? reply.held_ms : undefined;
  };
  for (const heldMs of [5000, 10_000, 20_000]) expect(await refused()).toBe(heldMs);
  await runJob(store, 'passes', 'resp_passes');
  expect(await refused()).toBe(5000);
  for (let n = 0; n < 12; n += 1) await refused();
  // However long it lasts, it is tried again every few minutes.
  expect(await refused()).toBe(600_000);
});

test('resolve: an unknown end is news once, and none of a launch whose answer has come', async () => {
  const { store } = await openStores();
  const unknown = { how: 'unknown', code: 'worker_lost', grace_ms: 1000, witnessed: false } as const;
  await acceptJob(store, 'lost');
  const epoch = await intendJob(store, 'lost');
  expect(await store.run('resolve', { id: 'lost', epoch, ...unknown })).toMatchObject({
    reply: 'unknown',
    is_news: true,
  });
  expect(await store.run('resolve', { id: 'lost', epoch, ...unknown })).toMatchObject({ is_news: false });
  // A sweeper had listed it for dead while its worker wrote the answer down.
  await runJob(store, 'slow', 'resp_slow');
  const slow = (await store.record('slow'))?.epoch ?? 0;
  expect(await store.run('resolve', { id: 'slow', epoch: slow, ...unknown })).toMatchObject({
    reply: 'stale',
    is_news: false,
  });
  expect((await store.record('slow'))?.status).toBe('running');
});

test('I9: a stream that finds no slot is told how long it has waited, and asks the less often', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'stream', { stream: true });
  await redisOf(store).hincrby(store.keys.job('stream'), 'created_at', -3_600_000);
  const intent = await store.run('intend', { id: 'stream', token: 't', max_in_flight: 9, streams_full: true });
  if (intent.reply !== 'no_slot') throw new Error(intent.reply);
  expect(intent.waited_ms).toBeGreaterThanOrEqual(3_600_000);
  expect(slotRetryMs(intent.waited_ms)).toBeGreaterThanOrEqual(10_000);
  expect(slotRetryMs(0)).toBeLessThanOrEqual(3000);
});

test('forget: an ended job leaves no key behind, and one with an unsettled response stays', async () => {
  const { store } = await openStores({ HEADSTONE_RECORD_TTL_MS: '10' });
  const drawn = 'resp_c0ffee00c0ffee00c0ffee00c0ffee00';
  for (const id of ['gone', drawn]) await acceptJob(store, id);
  expect(await redisOf(store).zrange(store.keys.ids('c0f'), '0', '-1')).toEqual([drawn]);
  // The entry of a decided job leaves its queue when a worker takes it.
  await store.queues.launch.obliterate({ force: true });
  for (const id of ['gone', drawn]) await store.run('decide', { id, status: 'cancelled', cause: 'cancelled' });
  await runJob(store, 'kept', 'resp_kept');
  await store.run('decide', { id: 'kept', status: 'cancelled', cause: 'cancelled' });
  await expect
    .poll(async () => {
      await store.run('forget', { limit: 100 });
      return [await store.record('gone'), await store.record(drawn)];
    })
    .toEqual([null, null]);
  expect(await store.record('kept')).not.toBeNull();
  expect(await listOf(store, {})).toHaveLength(1);
  for (const name of ['gone', drawn, 'ids:c0f'])
    expect(await redisOf(store).keys(`${store.keys.prefix}:*${name}*`), name).toEqual([]);
});

test('launched: a success lifts the alarm that it was tried under, and no later one, and no rate hold', async () => {
  const { store } = await openStores();
  const refuse = async (id: string, kind: 'alarm' | 'rate') => {
    await acceptJob(store, id);
    const epoch = await intendJob(store, id);
    const hold = { of: 'model', kind, code: 'x', for_ms: 60_000 } as const;
    await store.run('resolve', { id, epoch, how: 'refused', next: 'queued', code: 'x', due_in_ms: 0, hold });
  };
  const held = () => redisOf(store).exists(`${store.keys.prefix}:hold:model:gpt-5.5`);
  for (const kind of ['rate', 'alarm'] as const) {
    // Both were sent before the refusal, and the answer of this one arrives after it.
    await acceptJob(store, `slow-${kind}`);
    const epoch = await intendJob(store, `slow-${kind}`);
    await refuse(`refused-${kind}`, kind);
    // Later than the other launch by Redis' clock, which has a resolution of milliseconds.
    await redisOf(store).hincrby(`${store.keys.prefix}:hold:model:gpt-5.5`, 'since', 5);
    await store.run('acknowledge', {
      id: `slow-${kind}`,
      epoch,
      response_id: `resp_${kind}`,
      first_poll_ms: 10,
      observation: observed('queued'),
    });
    expect(await held()).toBe(1);
    await redisOf(store).del(`${store.keys.prefix}:hold:model:gpt-5.5`);
  }
});

test('launched: the late id of an earlier launch lifts no alarm that came after that launch', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'late', { on_unknown: 'relaunch' });
  const first = await intendJob(store, 'late');
  const lost = { id: 'late', epoch: first, code: 'timeout' };
  await store.run('resolve', { ...lost, how: 'unknown', grace_ms: 0, witnessed: true });
  await store.run('rerun', { ...lost, due_in_ms: 0, grace_ms: 0 });
  const sentAt = (await store.job('late'))?.launches[0]?.at ?? 0;
  const hold = `${store.keys.prefix}:hold:account`;
  await redisOf(store).hset(hold, { kind: 'alarm', since: sentAt + 1, until: 1, code: 'x' });
  await intendJob(store, 'late');
  const heard = { id: 'late', first_poll_ms: 10, observation: observed('queued') };
  await store.run('acknowledge', { ...heard, epoch: first, response_id: 'resp_1' });
  expect(await redisOf(store).exists(hold)).toBe(1);
});

test('launched: a second response of one launch is no further run of its job', async () => {
  const { store } = await openStores();
  const epoch = await runJob(store, 'twice', 'resp_1', { attempts: 2 });
  const failed = { id: 'twice', response_id: 'resp_1', code: 'server_error', counts: true, due_in_ms: 0 };
  expect((await store.run('rerun', { ...failed, observation: observed('failed', 100) })).reply).toBe('queued');
  const second = { id: 'twice', epoch, response_id: 'resp_2', first_poll_ms: 10, observation: observed('queued') };
  expect(await store.run('acknowledge', second)).toMatchObject({ reply: 'unwanted', cause: 'orphaned' });
  expect(await store.status('twice')).toBe('queued');
  expect(await store.row('resp_2')).toMatchObject({ kind: 'wasted', cause: 'orphaned' });
});

test('I2: a script that moves a job where no transition leads fails, and the status stays', async () => {
  const { store } = await openStores();
  await acceptJob(store, 'job');
  const skip = defineScript<{ id: string }>()({
    name: 'skip',
    body: "move(args.id, load(key('job', args.id)), 'completed')\nreturn reply('moved')",
    reply: z.object({ reply: z.literal('moved') }),
  });
  const given = JSON.stringify({ id: 'job' });
  const [answer] = (await redisOf(store).eval(skip.lua, 1, store.keys.prefix, '', given, '')) as [Error];
  expect(answer.message).toContain('no transition leads from queued to completed');
  expect(await store.status('job')).toBe('queued');
});

test('a whole number is written in full, however large, by every store', async () => {
  const { store } = await openStores();
  const written = defineScript<{ numbers: number[] }>()({
    name: 'written',
    body: `
local texts = {}
for position, number in ipairs(args.numbers) do texts[position] = int(number) end
return reply('written', {texts = texts, now_text = now_text})
`,
    reply: z.object({ reply: z.literal('written'), now: z.number(), now_text: z.string(), texts: z.array(z.string()) }),
  });
  const numbers = [
    0,
    7,
    -7,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    // A text in two parts has zeros in between, and another form begins at its end.
    3_000_000_000_000,
    2_148_000_001,
    2 * 10 ** 15 - 1,
    2 * 10 ** 15,
    1_795_982_502_390,
    1_795_982_502_390 * 4096,
    -(10 ** 12),
  ];
  for (let time = 0; time < 50; time += 1) {
    const [answer] = (await redisOf(store).eval(
      written.lua,
      1,
      store.keys.prefix,
      '',
      JSON.stringify({ numbers }),
      '',
    )) as [string];
    const { texts, now, now_text: nowText } = written.reply.parse(JSON.parse(answer));
    expect(texts).toEqual(numbers.map(String));
    expect(nowText).toBe(String(now));
  }
});

test('a script gives a queue entry the id that BullMQ is asked for elsewhere, whatever the job is called', async () => {
  const { store } = await openStores();
  const ids = [
    'job_0a1b',
    'job_',
    '_1',
    '12',
    'a.b',
    'a:b',
    'é',
    'two words',
    '100%',
    "it's(1)!*~",
    'job-1',
    '任務_1',
    'a_b_c',
  ];
  for (const id of ids) {
    await acceptJob(store, id);
    const waiting = await store.queues.launch.getWaiting();
    const entry = waiting.map(job => job.id ?? '').find(one => idOfEntry(one) === id);
    // Asked for again, the queue finds the same entry and adds none.
    await store.queues.ensure({ queue: 'launch', id, dueAt: 0, priority: 0 }, store.now());
    expect(entry, id).toBeDefined();
    expect(await store.queues.launch.getWaitingCount()).toBe(ids.indexOf(id) + 1);
  }
});
