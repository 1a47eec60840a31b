import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';

const read = async (url: string, key?: string) =>
  await (
    await fetch(url, { headers: { accept: 'text/html', ...(key ? { authorization: `Bearer ${key}` } : {}) } })
  ).text();

/** The text of a page, as a person reads it. */
const textOf = (page: string) =>
  page
    .replace(/<script[\s\S]*?<\/script>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');

test('the overview says at a glance what runs, what failed, who works and what was wasted today', async () => {
  const { producer, server, happened } = await startFrontDoor();
  await producer.wait((await producer.enqueue(scripted())).id);
  await producer.wait((await producer.enqueue(scripted({ end: 'failed' }, 'Failing'))).id);
  const { id } = await producer.enqueue(scripted({ duration_ms: 400, flip_after_ms: 0 }, 'Unwanted'));
  await happened('launch_acknowledged', ({ job_id }) => job_id === id);
  await producer.cancel(id, { reason: 'wrong prompt' });
  await happened('tokens_wasted', ({ job_id }) => job_id === id);
  const text = textOf(await read(server.url));
  for (const part of [
    'Queued 0',
    'Running 0',
    'Failed in the last hour 1 of 3 that ended',
    'Workers 1 version 0.1.0',
    'wrong prompt',
  ])
    expect(text).toContain(part);
  const wasted = (await producer.waste()).totals.total_tokens.toLocaleString('en-US');
  expect(text).toContain(`Wasted ${wasted} tokens`);
  expect(textOf(await read(`${server.url}/status`))).toContain('Failed in the last hour 1');
});

test('every page says when launching is paused or held, and the overview ends it', async () => {
  const { producer, server, happened } = await startFrontDoor();
  const refused = { ...scripted({ create: 'no_model', create_times: 1 }), model: 'gpt-9' };
  const { id } = await producer.enqueue(refused);
  await happened('launches_held');
  for (const path of ['/', '/jobs', `/jobs/${id}`, '/waste'])
    await expect
      .poll(async () => textOf(await read(`${server.url}${path}`)))
      .toContain('Held: launches of model gpt-9 (model_not_found). 1 job waits');
  const press = (path: string, body = '') =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      body,
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  expect((await press('/launch/pause')).status).toBe(303);
  await expect.poll(async () => textOf(await read(`${server.url}/waste`))).toContain('Launching is paused.');
  expect((await press('/launch/resume')).status).toBe(303);
  expect((await press('/holds/release', 'scope=model%3Agpt-9')).status).toBe(303);
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  await expect.poll(async () => textOf(await read(`${server.url}/jobs`)), { timeout: 8000 }).not.toContain('Held:');
});

test('no worker is said on every page; a tenant sees its own waste and nothing of the others', async () => {
  const apiKeys = [
    { name: 'root', key: 'key-of-the-operator', tenant: 'ops', admin: true },
    { name: 'harbour', key: 'key-of-the-harbour', tenant: 'harbour', admin: false },
  ];
  const { server, producer } = await startFrontDoor({ apiKeys, workers: 0 });
  expect(textOf(await read(`${server.url}/jobs`, 'key-of-the-operator'))).toContain('No worker is running');
  const own = textOf(await read(server.url, 'key-of-the-harbour'));
  expect(own).toContain('Today (UTC)');
  for (const part of ['No worker is running', 'Queued', 'Pause launching']) expect(own).not.toContain(part);
  const press = await fetch(`${server.url}/launch/pause`, {
    method: 'POST',
    headers: { authorization: 'Bearer key-of-the-harbour', 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect(press.status).toBe(403);
  // Why their own jobs wait is no secret.
  await producer.pauseLaunch(true);
  await expect.poll(async () => textOf(await read(server.url, 'key-of-the-harbour'))).toContain('Launching is paused.');
});
