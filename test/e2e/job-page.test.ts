import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';

const read = async (url: string) => {
  const answer = await fetch(url, { headers: { accept: 'text/html' } });
  return { status: answer.status, text: await answer.text() };
};

test('an unknown launch is said to be unknown, and nothing says that it was not charged', async () => {
  const { producer, server } = await startFrontDoor();
  const { id } = await producer.enqueue(scripted({ create: 'truncated', create_times: 1 }));
  expect(await producer.wait(id)).toMatchObject({ status: 'failed', error: { code: 'launch_unknown' } });
  const { text } = await read(`${server.url}/jobs/${id}`);
  expect(text).toContain('The provider may have run and billed 1 create whose response id never came back');
  expect(text).not.toContain('nothing was charged');
});

test('a cancel that the provider answers with 400 had come too late, and the page says so', async () => {
  const { producer, server, happened } = await startFrontDoor();
  const { id } = await producer.enqueue(scripted({ duration_ms: 60_000, cancel: 'too_late' }));
  await happened('launch_acknowledged');
  await producer.cancel(id);
  await happened('tokens_wasted');
  const { text } = await read(`${server.url}/jobs/${id}`);
  expect(text).toContain('The provider had already finished when the cancel arrived.');
  expect(text).not.toContain('The provider accepted the cancel');
});

test('a cancel asks once; a filter that is not known is an error, on every page', async () => {
  const { producer, server } = await startFrontDoor({ workers: 0 });
  const { id } = await producer.enqueue(scripted());
  const asked = await read(`${server.url}/jobs/${id}/cancel?reason=wrong+prompt`);
  expect(asked.text).toContain('This cannot be undone.');
  expect(asked.text).toContain('If it is still queued when you cancel it, it costs nothing more.');
  expect((await producer.get(id))?.status).toBe('queued');
  await producer.cancel(id);
  const ended = await fetch(`${server.url}/jobs/${id}/cancel`, { redirect: 'manual' });
  expect(ended.headers.get('location')).toBe(`/jobs/${id}`);
  for (const path of [
    '/jobs?modell=o3',
    '/waste?model=o3',
    '/cancellations/new?modell=o3',
    '/waste?since=2026-11-20&until=2026-11-10',
  ])
    expect((await read(`${server.url}${path}`)).status, path).toBe(400);
});
