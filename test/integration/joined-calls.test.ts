import { expect, test, vi } from 'vitest';
import type { Lane } from '../../src/shared/store/lane.ts';
import { commandName, type RunCommand, type ScriptName } from '../../src/shared/store/scripts.ts';
import { acceptJob, intendJob, observed, openStores, redisOf, rowsOf, runJob, wasteOf } from '../support/store.ts';

/** Counts the commands that call a script on a store's connection. */
function countingCommands(store: Lane, script: ScriptName) {
  const spy = vi.spyOn(redisOf(store) as unknown as Record<string, RunCommand>, commandName(script));
  return () => spy.mock.calls.length;
}

/** Launches jobs in two turns. */
async function launchAll(store: Lane, ids: string[]): Promise<void> {
  const epochs = await Promise.all(ids.map(id => intendJob(store, id)));
  await Promise.all(
    ids.map((id, position) =>
      store.run('acknowledge', {
        id,
        epoch: epochs[position] as number,
        response_id: `resp_${id}`,
        first_poll_ms: 0,
        observation: observed('queued'),
      }),
    ),
  );
}

const intend = (id: string, most: number) => ({ id, token: `token-${id}`, max_in_flight: most });
const named = (count: number) => Array.from({ length: count }, (_, number) => `job_${number}`);

test('the calls of one turn are few commands, and each has its own answer', async () => {
  const { store } = await openStores();
  const ids = named(60);
  await Promise.all(ids.map(id => acceptJob(store, id)));
  const commands = countingCommands(store, 'intend');
  const replies = await Promise.all(ids.map(id => store.run('intend', intend(id, 1000))));
  // The first call leaves at once, and the others by 25 at the end of the turn.
  expect(commands()).toBe(4);
  expect(new Set(replies.map(reply => reply.reply === 'intended' && reply.epoch)).size).toBe(60);
  const [missing, again] = await Promise.all([
    store.run('intend', intend('nobody', 1000)),
    store.run('intend', intend('job_7', 1000)),
  ]);
  expect(missing).toMatchObject({ reply: 'missing' });
  expect(again).toMatchObject({ reply: 'intended', epoch: (replies[7] as { epoch: number }).epoch });
});

test('a call that fails changes nothing for the others of its turn', async () => {
  const { store } = await openStores();
  await Promise.all(named(4).map(id => acceptJob(store, id)));
  // Its record is no hash, so every command on it fails.
  const broken = store.keys.job('job_2');
  await redisOf(store).del(broken);
  await redisOf(store).set(broken, 'not a hash');
  const settled = await Promise.allSettled(named(4).map(id => store.run('intend', intend(id, 1000))));
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(settled[2]).toMatchObject({ reason: { message: expect.stringContaining('WRONGTYPE') } });
  expect(settled[3]).toMatchObject({ value: { reply: 'intended', text: '{}' } });
});

test('large bodies are not joined into one command, and arrive whole', async () => {
  const { store } = await openStores();
  const ids = named(5);
  for (const id of ids) await acceptJob(store, id);
  await launchAll(store, ids);
  const bodies = ids.map(id => JSON.stringify({ id, text: 'ä'.repeat(600_000) }));
  const commands = countingCommands(store, 'decide');
  await Promise.all(
    ids.map((id, position) =>
      store.run(
        'decide',
        {
          id,
          status: 'completed',
          response_id: `resp_${id}`,
          has_result: true,
          observation: observed('completed', 10),
        },
        bodies[position],
      ),
    ),
  );
  expect(commands()).toBe(5);
  expect(await Promise.all(ids.map(id => store.result(id)))).toEqual(bodies);
});

test('I9: launches that are asked for in one turn stay within the cap', async () => {
  const { store } = await openStores();
  await Promise.all(named(12).map(id => acceptJob(store, id)));
  const replies = await Promise.all(named(12).map(id => store.run('intend', intend(id, 5))));
  expect(replies.filter(({ reply }) => reply === 'intended')).toHaveLength(5);
  expect(replies.filter(({ reply }) => reply === 'full')).toHaveLength(7);
});

test('I3: what is booked in one turn is booked to the token, in every sum', async () => {
  const { store } = await openStores();
  const jobs = Array.from({ length: 50 }, (_, number) => ({
    id: `job_${number}`,
    tenant: number % 3 === 0 ? 'acme' : 'default',
    model: number % 2 === 0 ? 'gpt-5.5' : 'gpt-5.5-mini',
    tags: number % 5 === 0 ? ['night', 'bulk'] : [],
    tokens: 100 + number,
    isCancelled: number % 4 === 0,
  }));
  for (const { id, tenant, model, tags } of jobs)
    await store.run(
      'accept',
      { id, tenant, model, tags: JSON.stringify(tags), tag_list: tags, fingerprint: 'f', deadline_ms: 60_000 },
      '{}',
    );
  await launchAll(
    store,
    jobs.map(({ id }) => id),
  );
  await Promise.all(
    jobs.map(({ id, tokens, isCancelled }) =>
      isCancelled
        ? store.run('decide', { id, status: 'cancelled', cause: 'cancelled', actor: `actor ${tokens % 2}` })
        : store.run(
            'decide',
            {
              id,
              status: 'completed',
              response_id: `resp_${id}`,
              has_result: true,
              observation: observed('completed', tokens),
            },
            '{}',
          ),
    ),
  );
  // The wasted ones become known in one turn as well.
  const wasted = jobs.filter(({ isCancelled }) => isCancelled);
  await Promise.all(
    wasted.map(({ id, tokens }) =>
      store.run('charge', { response_id: `resp_${id}`, observation: observed('completed', tokens), window_ms: 0 }),
    ),
  );
  for (const tenant of ['acme', 'default']) {
    const own = jobs.filter(job => job.tenant === tenant);
    expect(await rowsOf(store, { tenant })).toHaveLength(own.length);
    const tokensOf = (some: typeof jobs, isCancelled: boolean) =>
      some.filter(job => job.isCancelled === isCancelled).reduce((sum, { tokens }) => sum + tokens, 0);
    const { totals, data: byModel } = await wasteOf(store, { tenant, groupBy: 'model' });
    expect(totals).toMatchObject({ total_tokens: tokensOf(own, true), used_total_tokens: tokensOf(own, false) });
    for (const { key, ...sum } of byModel) {
      const some = own.filter(({ model }) => model === key);
      expect(sum).toMatchObject({ total_tokens: tokensOf(some, true), used_total_tokens: tokensOf(some, false) });
    }
    const { data: byTag } = await wasteOf(store, { tenant, groupBy: 'tag' });
    const tagged = own.filter(({ tags }) => tags.length > 0);
    expect(byTag.map(({ key }) => key).sort()).toEqual(['bulk', 'night']);
    for (const { key, ...sum } of byTag)
      expect(sum, key).toMatchObject({
        total_tokens: tokensOf(tagged, true),
        used_total_tokens: tokensOf(tagged, false),
      });
  }
});

test('I3: a booking that fails takes no other one of its command with it, and nobody takes it for done', async () => {
  const { store } = await openStores();
  const redis = redisOf(store);
  const tenants = ['acme', 'broken', 'default', 'strange'];
  for (const tenant of tenants) await runJob(store, `of-${tenant}`, `resp_${tenant}`, { tenant });
  // One row has lost a field that a booking reads, and one tenant’s sums are no hash.
  await redis.hdel(store.keys.row('resp_broken'), 'tags');
  const today = new Date(store.now()).toISOString().slice(0, 10);
  await redis.set(store.keys.sums(today, 'strange'), 'no sums');
  const first = store.run('intend', intend('nobody', 1));
  const settled = await Promise.allSettled(
    tenants.map(tenant => {
      const id = `of-${tenant}`;
      const result = { status: 'completed', response_id: `resp_${tenant}`, has_result: true } as const;
      return tenant === 'strange'
        ? store.run('decide', { id, ...result, observation: observed('completed', 10) }, '{}')
        : store.run('decide', { id, status: 'cancelled', cause: 'cancelled' });
    }),
  );
  await first;
  expect(settled.map(({ status }) => status)).toEqual(Array.from(tenants, () => 'rejected'));
  await redis.del(store.keys.sums(today, 'strange'));
  for (const tenant of ['acme', 'default'])
    expect((await wasteOf(store, { tenant })).totals).toMatchObject({ responses: 1, pending: 1 });
  const again = await store.run('decide', { id: 'of-acme', status: 'cancelled', cause: 'cancelled' });
  expect(again).toEqual({ reply: 'already', status: 'cancelled' });
});

test('a call that works on many jobs is a command of its own', async () => {
  const { store } = await openStores();
  const commands = countingCommands(store, 'forget');
  await Promise.all(Array.from({ length: 4 }, () => store.run('forget', { limit: 10 })));
  expect(commands()).toBe(4);
});

test('I3: on a day with too many sums, each tag of a row counts in the place that they share, beside other rows of its turn', async () => {
  const { store } = await openStores();
  const redis = redisOf(store);
  const ids = ['tagged', 'plain'];
  const tagsOf = (id: string) => (id === 'tagged' ? ['a', 'b'] : []);
  for (const id of ids) {
    const tags = { tags: JSON.stringify(tagsOf(id)), tag_list: tagsOf(id) };
    const given = { id, tenant: 'default', model: 'm', fingerprint: 'f', deadline_ms: 60_000, ...tags };
    await store.run('accept', given, '{}');
  }
  await launchAll(store, ids);
  const sums = store.keys.sums(new Date(store.now()).toISOString().slice(0, 10), 'default');
  const many = Array.from({ length: 40_001 }, (_, number) => [`["tag","t${number}"]`, 'responses=1']);
  await redis.hset(sums, Object.fromEntries(many));
  // The provider showed both usages when it said that somebody had cancelled them.
  const first = store.run('intend', intend('nobody', 1));
  await Promise.all(
    ids.map(id => {
      const observation = observed('completed', id === 'tagged' ? 70 : 1);
      return store.run('decide', {
        id,
        status: 'cancelled',
        cause: 'cancelled',
        response_id: `resp_${id}`,
        observation,
      });
    }),
  );
  await first;
  expect(await redis.hget(sums, '["cause","cancelled"]')).toMatch(/\btotal_tokens=71\b/);
  expect(await redis.hget(sums, '["tag","(other)"]')).toMatch(/\btotal_tokens=140\b/);
});
