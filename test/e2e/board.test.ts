import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';

const keys = { alice: 'key-of-alice-0123456789', bob: 'key-of-bob-0123456789ab', root: 'key-of-root-0123456789a' };
const alice = { name: 'alice', key: keys.alice, tenant: 'harbour', admin: false };
const bob = { name: 'bob', key: keys.bob, tenant: 'museum', admin: false };
const root = { name: 'root', key: keys.root, tenant: 'harbour', admin: true };

interface BoardQueue {
  name: string;
  displayName: string;
  description: string;
  readOnlyMode: boolean;
  jobs: {
    id: string;
    name: string;
    data: Record<string, unknown>;
    delay: number;
    opts: { delay: number };
    returnValue: unknown;
    externalUrl: { href: string };
  }[];
}

async function startBoard(options: Parameters<typeof startFrontDoor>[0] = {}) {
  const door = await startFrontDoor(options);
  const ask = (method: string, path: string, key?: string) =>
    fetch(`${door.server.url}/board/api${path}`, {
      method,
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    });
  const look = async (queue: string, key?: string): Promise<BoardQueue> => {
    const answer = await ask('GET', `/queues?activeQueue=${queue}&status=latest&page=1&jobsPerPage=10`, key);
    const { queues } = (await answer.json()) as { queues: BoardQueue[] };
    return queues.find(({ name }) => name === queue) as BoardQueue;
  };
  return { ...door, ask, look };
}

test('I13: the board shows what the record says now, and no prompt; each queue is described; a job links to its page', async () => {
  const { producer, look, happened } = await startBoard();
  const { id } = await producer.enqueue(scripted({ duration_ms: 300, flip_after_ms: 100 }, 'My secret plan'), {
    tenant: 'harbour',
  });
  await happened('launch_acknowledged');
  await producer.cancel(id, { reason: 'wrong prompt', actor: 'alice' });
  const { total_tokens } = await happened('tokens_wasted');
  const queue = await look('launch');
  expect(queue.jobs[0]).toMatchObject({
    name: 'gpt-5.5 · cancelled',
    data: {
      job_id: id,
      model: 'gpt-5.5',
      tenant: 'harbour',
      status: 'cancelled',
      tombstone: { reason: 'wrong prompt', actor: 'alice' },
      wasted_tokens: total_tokens,
    },
    externalUrl: { href: `../jobs/${id}` },
  });
  expect(JSON.stringify(queue)).not.toContain('secret');
  for (const name of ['launch', 'poll', 'settle']) {
    expect((await look(name)).displayName).toMatch(/^\d \w+$/);
    expect((await look(name)).description.length).toBeGreaterThan(30);
  }
});

test('a parked poll is shown with the time at which it is due, however often it was parked', async () => {
  const { producer, look, simulatorLedger } = await startBoard({
    env: { HEADSTONE_POLL_MIN_MS: '400', HEADSTONE_POLL_MAX_MS: '400' },
  });
  const { id } = await producer.enqueue(scripted({ stuck: true }));
  await expect.poll(async () => (await simulatorLedger()).responses[0]?.reads, { timeout: 10_000 }).toBe(3);
  const entry = (await look('poll')).jobs.find(job => job.id === `hs-${id}`);
  // It was added before the first of the three polls, and is due after the last.
  expect(entry?.delay).toBeGreaterThan(1200);
  expect(entry?.delay).toBeLessThan(10_000);
  // Otherwise the board would add that the time is not known.
  expect(entry?.opts.delay).toBe(entry?.delay);
});

test('I2, I6: a retried job of a decided record does nothing, and says so', async () => {
  const { producer, ask, look, simulatorLedger } = await startBoard();
  const { id } = await producer.enqueue(scripted());
  await producer.wait(id);
  const entry = () => look('launch').then(({ jobs }) => jobs.find(job => job.id === `hs-${id}`));
  await expect.poll(async () => (await entry())?.returnValue).toMatch(/^acknowledged/);
  expect((await ask('PUT', `/queues/launch/hs-${id}/retry/completed`)).status).toBe(404);
  expect((await ask('PUT', `/queues/launch/hs-${id}/retry`)).status).toBe(204);
  await expect.poll(async () => (await entry())?.returnValue).toBe('already completed: nothing done');
  expect((await simulatorLedger()).responses).toHaveLength(1);
  expect((await producer.get(id))?.status).toBe('completed');
});

test('I1, I5: clean, empty and obliterate lose no job and bring none back', async () => {
  const { producer, ask, redis, prefixOf, startWorker } = await startBoard({ workers: 0 });
  const wanted = await producer.enqueue(scripted());
  const refused = await producer.enqueue(scripted());
  await producer.cancel(refused.id);
  for (const path of ['/queues/launch/clean/completed', '/queues/launch/empty', '/queues/launch/pause'])
    expect((await ask('PUT', path)).ok).toBe(true);
  expect((await ask('PUT', '/queues/launch/obliterate')).ok).toBe(true);
  expect((await producer.get(wanted.id))?.status).toBe('queued');
  // The patrol comes every ten minutes, which this write makes pass.
  await redis.zadd(`${await prefixOf(wanted.id)}:open`, 0, wanted.id);
  await startWorker();
  expect(await producer.wait(wanted.id)).toMatchObject({ status: 'completed' });
  expect(await producer.get(refused.id)).toMatchObject({ status: 'cancelled', response_id: null });
});

test('an entry that somebody adds by hand is refused by the board, and one from elsewhere does nothing', async () => {
  const { producer, ask, look, happened, simulatorLedger } = await startBoard();
  void happened;
  const added = await ask('POST', '/queues/launch/add');
  expect(added.ok).toBe(false);
  await producer.queues[0]?.add('launch', { id: 'secret prompt' });
  await expect
    .poll(async () => (await look('launch')).jobs[0]?.returnValue)
    .toBe('not an entry of Headstone: nothing done');
  expect(JSON.stringify(await look('launch'))).not.toContain('secret');
  expect((await simulatorLedger()).responses).toHaveLength(0);
});

test('I12: the board is for admins; where all keys are of one tenant the others may look and change nothing', async () => {
  const shared = await startBoard({ workers: 0, apiKeys: [alice, bob, root] });
  expect((await shared.ask('GET', '/queues', keys.bob)).status).toBe(403);
  expect((await shared.look('launch', keys.root)).readOnlyMode).toBe(false);
  const own = await startBoard({ workers: 0, apiKeys: [alice, root] });
  const { id } = await own.producer.enqueue(scripted(), { tenant: 'harbour' });
  expect((await own.look('launch', keys.alice)).readOnlyMode).toBe(true);
  for (const [method, path] of [
    ['PUT', '/queues/launch/pause'],
    ['PUT', `/queues/launch/hs-${id}/clean`],
    ['GET', '/redis/stats'],
  ] as const)
    expect((await own.ask(method, path, keys.alice)).status).toBe(403);
  expect((await own.ask('GET', '/queues')).status).toBe(401);
  // An app enqueues for a tenant without a key, and nobody else may see that job.
  await own.producer.enqueue(scripted(), { tenant: 'museum' });
  expect((await own.ask('GET', '/queues', keys.alice)).status).toBe(403);
});

test('no name that a tenant chooses breaks the board or a notice', async () => {
  const { producer, look, server, happened } = await startBoard();
  await producer.enqueue({ ...scripted(), model: '</body>' });
  await producer.enqueue({ ...scripted({ create: 'no_model' }), model: "$'$&" });
  await happened('launches_held');
  expect((await look('launch')).jobs.map(({ name }) => name).join()).toContain('</body>');
  const page = await (await fetch(`${server.url}/jobs`, { headers: { accept: 'text/html' } })).text();
  expect(page).toContain('model $&#39;$&#38;');
  expect(page).not.toContain('<!--notices-->');
  const unknown = await (await fetch(`${server.url}/nothing`, { headers: { accept: 'text/html' } })).text();
  expect(unknown).toContain('Held: launches of model');
});
