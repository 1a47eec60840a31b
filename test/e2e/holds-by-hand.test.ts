import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';

test('a hold is listed with its reason, its jobs and its next try, and is tried at once when somebody asks', async () => {
  const { producer, server, happened } = await startFrontDoor();
  const refused = { ...scripted({ create: 'no_model', create_times: 1 }), model: 'gpt-9' };
  const { id } = await producer.enqueue(refused);
  await happened('launches_held');
  const holds = async () => (await (await fetch(`${server.url}/v1/holds`)).json()) as { data: unknown[] };
  expect((await holds()).data).toMatchObject([
    { scope: 'model:gpt-9', kind: 'alarm', code: 'model_not_found', waiting: 1 },
  ]);
  const askedAt = performance.now();
  const release = (scope: string) =>
    fetch(`${server.url}/v1/holds/release`, {
      method: 'POST',
      body: JSON.stringify({ scope }),
      headers: { 'content-type': 'application/json' },
    });
  expect(await (await release('model:gpt-8')).json()).toMatchObject({
    error: { message: expect.stringContaining('There is no hold model:gpt-8') },
  });
  expect((await release('model:gpt-9')).status).toBe(200);
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect(performance.now() - askedAt).toBeLessThan(15_000);
  await expect.poll(async () => (await holds()).data).toEqual([]);
});

test('once its jobs are cancelled a hold is not shown any more, and the next job tries at once', async () => {
  const { producer, happened } = await startFrontDoor();
  const refused = { ...scripted({ create: 'no_model', create_times: 1 }), model: 'gpt-9' };
  const { id } = await producer.enqueue(refused);
  await happened('launches_held');
  await producer.cancel(id, { actor: 'ops', reason: 'a typing error' });
  expect(await producer.holds()).toMatchObject([{ scope: 'model:gpt-9', waiting: 0 }]);
  await producer.releaseHold('model:gpt-9');
  expect(await producer.holds()).toEqual([]);
  const askedAt = performance.now();
  const next = await producer.enqueue({ ...scripted({ duration_ms: 200 }), model: 'gpt-9' });
  expect(await producer.wait(next.id)).toMatchObject({ status: 'completed' });
  expect(performance.now() - askedAt).toBeLessThan(15_000);
});
