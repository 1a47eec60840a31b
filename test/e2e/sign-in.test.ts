import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadApiKeys } from '../../src/server/access/load-api-keys.ts';
import { loadConfiguration } from '../../src/shared/runtime/configuration.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';

const keys = {
  alice: 'key-of-alice-0123456789',
  aliceNext: 'next-key-of-alice-0123',
  bob: 'key-of-bob-0123456789ab',
  root: 'key-of-root-0123456789a',
};

const apiKeys = [
  { name: 'alice', key: keys.alice, tenant: 'harbour', admin: false },
  {
    name: 'alice-next',
    sha256: createHash('sha256').update(keys.aliceNext).digest('hex'),
    tenant: 'harbour',
    admin: false,
  },
  { name: 'bob', key: keys.bob, tenant: 'museum', admin: false },
  { name: 'root', key: keys.root, tenant: 'harbour', admin: true },
];

async function startHouse(workers = 1) {
  const house = await startFrontDoor({ workers, apiKeys });
  const get = async (path: string, key: string) => {
    const answer = await fetch(`${house.server.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    return { status: answer.status, body: (await answer.json()) as Page };
  };
  return { ...house, get };
}

/** The part of the answers that the tests read. */
interface Page {
  data: { response_id: string; key: string }[];
  has_more: boolean;
}

const request = (input = 'Write about tides') => ({ ...scripted({}, input), background: true as const });

test('I12: a wrong key, and none, are 401; probes need none; Azure’s header and a second key of the tenant work', async () => {
  const { server, clientOf } = await startHouse(0);
  await expect(clientOf('sk-guessed').responses.create(request())).rejects.toMatchObject({
    status: 401,
    code: 'invalid_api_key',
  });
  expect((await fetch(`${server.url}/v1/jobs`)).status).toBe(401);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  expect((await fetch(`${server.url}/v1/jobs`, { headers: { 'api-key': keys.bob } })).status).toBe(200);
  const { id } = await clientOf(keys.alice).responses.create(request());
  expect((await clientOf(keys.aliceNext).responses.retrieve(id)).id).toBe(id);
});

test('I12: another tenant’s job is a 404 in every way, and stays as it is', async () => {
  const { clientOf, get, server } = await startHouse(0);
  const { id } = await clientOf(keys.alice).responses.create(request());
  const bob = clientOf(keys.bob).responses;
  await expect(bob.retrieve(id)).rejects.toMatchObject({ status: 404 });
  await expect(bob.cancel(id)).rejects.toMatchObject({ status: 404 });
  await expect(bob.delete(id)).rejects.toMatchObject({ status: 404 });
  expect((await get(`/v1/jobs/${id}`, keys.bob)).status).toBe(404);
  // Who asks for another tenant finds nothing there, and is not shown his own instead.
  const { id: own } = await bob.create(request());
  expect((await get('/v1/jobs', keys.bob)).body).toMatchObject({ data: [{ id: own }] });
  expect((await get('/v1/jobs?tenant=harbour', keys.bob)).body).toMatchObject({ data: [] });
  await expect(bob.create({ ...request(), previous_response_id: id })).rejects.toMatchObject({
    status: 400,
    param: 'previous_response_id',
  });
  const claimed = await fetch(`${server.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.bob}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...request(), headstone: { tenant: 'harbour' } }),
  });
  expect(await claimed.json()).toMatchObject({ error: { param: 'headstone.tenant' } });
  expect((await clientOf(keys.alice).responses.retrieve(id)).status).toBe('queued');
});

test('I12: no page, list, sum, stream or board shows anything of another tenant’s job', async () => {
  const { clientOf, server, producer, happened } = await startHouse();
  const headstone = { tags: ['secret-tag'], callback_url: 'https://hooks.example.com/secret' };
  const create = { ...request('secret words'), headstone };
  const { id } = await clientOf(keys.alice).responses.create(create);
  await happened('job_decided', fields => fields.job_id === id);
  await producer.cancellations.begin({ tag: 'secret-tag' }, { actor: 'secret actor' });
  const ask = async (method: string, path: string, accept: string) => {
    const headers = { authorization: `Bearer ${keys.bob}`, accept };
    const answer = await fetch(`${server.url}${path}`, { method, headers, redirect: 'manual' });
    return { status: answer.status, text: await answer.text() };
  };
  const ofTheJob: [string, string][] = [
    ['GET', `/v1/responses/${id}?stream=true`],
    ['GET', `/v1/responses/${id}/input_items`],
    ['POST', `/v1/jobs/${id}/retry`],
    ['POST', `/v1/jobs/${id}/webhook/resend`],
    ['GET', `/jobs/${id}`],
    ['GET', `/jobs/${id}/cancel`],
    ['GET', `/jobs/${id}/again`],
    ['POST', `/jobs/${id}/again`],
    ['POST', `/jobs/${id}/cancel`],
  ];
  for (const [method, path] of ofTheJob) {
    const { status, text } = await ask(method, path, 'application/json');
    // A form without its field is refused before anybody looks for a job.
    expect([400, 404], path).toContain(status);
    expect(text.replaceAll(id, ''), path).not.toMatch(/secret|harbour/);
  }
  const by = ['model', 'tenant', 'cause', 'reason', 'actor', 'tag', 'cancellation', 'day'];
  const others = [
    ...by.flatMap(dimension => [`/v1/waste?group_by=${dimension}&tenant=harbour`, `/waste?by=${dimension}`]),
    ...by.map(dimension => `/waste/sums.csv?by=${dimension}`),
    ...by.map(dimension => `/waste/responses?by=${dimension}`),
    '/v1/ledger?tenant=harbour',
    '/v1/jobs?tenant=harbour&tag=secret-tag',
    '/v1/jobs?search=secret',
    '/jobs?tag=secret-tag',
    '/jobs?search=secret&sort=longest',
    `/jobs?search=${id.slice(0, 12)}&sort=longest`,
    '/',
    '/v1/cancellations',
    '/cancellations',
    '/v1/status',
    '/v1/holds',
    '/board/api/queues?activeQueue=launch&status=completed',
  ];
  for (const path of others)
    for (const accept of ['application/json', 'text/html']) {
      const { text } = await ask('GET', path, accept);
      // What was asked for may stand in the form again.
      const told = text.replaceAll(/(value|href|content)="[^"]*"/g, '').replaceAll(/(tag|search): ?\S+/g, '');
      expect(told, path).not.toMatch(/secret (words|actor)|harbour/);
      expect(told, path).not.toContain(id);
    }
});

test('I12: jobs, ledger and waste are each tenant’s own; an admin sees all, and whom they ask for', async () => {
  const { clientOf, get, happened } = await startHouse();
  for (const [key, input] of [
    [keys.alice, 'Eels'],
    [keys.bob, 'Kelp'],
  ] as const) {
    const { id } = await clientOf(key).responses.create(request(input));
    await happened('job_decided', fields => fields.job_id === id);
  }
  const counts = async (path: string, key: string) => (await get(path, key)).body.data.length;
  for (const path of ['/v1/jobs', '/v1/ledger']) {
    expect(await counts(path, keys.alice)).toBe(1);
    expect(await counts(path, keys.root)).toBe(2);
    expect(await counts(`${path}?tenant=museum`, keys.root)).toBe(1);
  }
  const tenants = async (key: string) => (await get('/v1/waste?group_by=tenant', key)).body.data.map(sum => sum.key);
  expect(await tenants(keys.bob)).toEqual(['museum']);
  expect((await tenants(keys.root)).sort()).toEqual(['harbour', 'museum']);
});

test('a cancel over HTTP keeps the name of the key beside the actor’s claim', async () => {
  const { clientOf, get, server } = await startHouse(0);
  const { id } = await clientOf(keys.alice).responses.create(request());
  const cancel = (body: object) =>
    fetch(`${server.url}/v1/responses/${id}/cancel`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  expect((await cancel({ keyName: 'root' })).status).toBe(400);
  await cancel({ actor: 'somebody', reason: 'wrong' });
  expect((await get(`/v1/jobs/${id}`, keys.alice)).body).toMatchObject({
    tombstone: { actor: 'somebody', key_name: 'alice' },
  });
});

test('DELETE forgets a finished job’s result, and keeps its record and its ledger', async () => {
  const { clientOf, get, happened } = await startHouse();
  const alice = clientOf(keys.alice).responses;
  const { id } = await alice.create(request());
  await happened('job_decided');
  await alice.delete(id);
  await alice.delete(id);
  await expect(alice.retrieve(id)).rejects.toMatchObject({ status: 404 });
  const { body } = await get(`/v1/jobs/${id}`, keys.alice);
  expect(body).toMatchObject({ status: 'completed', outcome: { result: 'deleted' }, ledger: [{ kind: 'used' }] });
  const open = await alice.create({ ...scripted({ stuck: true }), background: true });
  await expect(alice.delete(open.id)).rejects.toMatchObject({ status: 400 });
});

test('the ledger comes in pages, each row once', async () => {
  const { producer, get } = await startHouse();
  const jobs = Array.from({ length: 7 }, (_, n) => ({
    request: scripted({}, `Prompt ${n}`),
    options: { tenant: 'museum' },
  }));
  for (const { id } of await producer.enqueueMany(jobs)) await producer.wait(id);
  const seen: string[] = [];
  for (let after = ''; ; ) {
    const { body } = await get(`/v1/ledger?limit=3${after && `&after=${after}`}`, keys.bob);
    seen.push(...body.data.map(row => row.response_id));
    if (!body.has_more) break;
    after = seen.at(-1) ?? '';
  }
  expect(seen).toHaveLength(7);
  expect(new Set(seen).size).toBe(7);
});

test('keys come from a file too, and what is wrong with it is said in a sentence without the keys', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headstone-keys-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'keys.json');
  const load = async (content: string) => {
    writeFileSync(file, content);
    return await loadApiKeys(loadConfiguration({ HEADSTONE_API_KEYS_FILE: file }).configuration);
  };
  expect(await load(JSON.stringify([{ name: 'a', key: keys.alice, tenant: 't' }]))).toEqual([
    { name: 'a', key: keys.alice, tenant: 't', admin: false },
  ]);
  await expect(load('[{')).rejects.toThrow(/keys\.json is not JSON\.$/);
  await expect(load(JSON.stringify([{ name: 'a', key: 'short-secret', tenant: 't' }]))).rejects.toThrow(
    /0\.key must be at least 16/,
  );
  await expect(load(JSON.stringify([{ name: 'a', key: 'short-secret', tenant: 't' }]))).rejects.not.toThrow(
    'short-secret',
  );
  const twice = JSON.stringify([
    { name: 'ci', key: keys.alice, tenant: 't' },
    { name: 'ci', key: keys.bob, tenant: 'u' },
  ]);
  expect(() => loadConfiguration({ HEADSTONE_API_KEYS: twice })).toThrow(/a different name/);
  expect(() => loadConfiguration({ HEADSTONE_API_KEYS: '[]', HEADSTONE_API_KEYS_FILE: file })).toThrow(
    /at least one key/,
  );
});

test('a tenant’s question costs no more than their own: no endless time, no foreign row to go on from', async () => {
  const { clientOf, get, happened } = await startHouse();
  const { id } = await clientOf(keys.alice).responses.create(request());
  const { response_id } = await happened('launch_acknowledged');
  expect((await get('/v1/waste?since=1000-01-01&until=2026-01-01', keys.bob)).status).toBe(400);
  expect((await get('/v1/waste?since=2026-13-45', keys.bob)).status).toBe(400);
  expect((await get(`/v1/jobs?after=${id}`, keys.bob)).status).toBe(400);
  expect((await get(`/v1/ledger?after=${response_id}`, keys.bob)).body).toMatchObject({ data: [] });
});
