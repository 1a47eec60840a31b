import { AzureOpenAI, OpenAI } from 'openai';
import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';
import { startProxy } from '../support/proxy.ts';

const background = { background: true } as const;
const request = (script = {}, input?: string) => ({ ...scripted(script, input), ...background });

test('I1: a thousand reads through a flip and after it never show a result', async () => {
  const { client, happened } = await startFrontDoor();
  const created = await client.responses.create(request({ duration_ms: 300, flip_after_ms: 200 }));
  await happened('launch_acknowledged');
  await client.responses.cancel(created.id);
  let reads = 0;
  const settled = happened('tokens_wasted');
  let isSettled = false;
  void settled.then(() => {
    isSettled = true;
  });
  while (reads < 1000 || !isSettled) {
    const some = await Promise.all(Array.from({ length: 50 }, () => client.responses.retrieve(created.id)));
    for (const read of some) expect(read).toMatchObject({ status: 'cancelled', output: [] });
    reads += some.length;
  }
  const { total_tokens } = await settled;
  expect((await client.responses.retrieve(created.id)).usage?.total_tokens).toBe(total_tokens);
});

test.for([
  ['the 2025 surface', { apiVersion: '2025-04-01-preview' }, '/openai'],
  ['the v1 surface', { apiVersion: 'preview' }, '/openai/v1'],
] as const)('an unchanged AzureOpenAI client, on %s: create, poll, cancel', async ([, version, path]) => {
  const { server, happened } = await startFrontDoor();
  const azure = new AzureOpenAI({ ...version, baseURL: `${server.url}${path}`, apiKey: 'any' });
  const created = await azure.responses.create(request());
  await expect.poll(async () => (await azure.responses.retrieve(created.id)).status).toBe('completed');
  const unwanted = await azure.responses.create(request({ duration_ms: 400 }));
  await happened('launch_acknowledged', ({ job_id }) => job_id === unwanted.id);
  expect(await azure.responses.cancel(unwanted.id)).toMatchObject({ status: 'cancelled' });
  expect((await azure.responses.inputItems.list(created.id)).data).toHaveLength(1);
});

test('I6: a create whose reply is lost on the way is sent again by the client, and is one job', async () => {
  const { server, producer } = await startFrontDoor({ workers: 0 });
  const port = Number(new URL(server.url).port);
  const proxy = await startProxy(port);
  const client = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: 'any', maxRetries: 4, timeout: 2000 });
  proxy.loseReplies(1);
  const created = await client.responses.create(request());
  expect(proxy.lost).toBe(1);
  expect((await producer.list()).map(({ id }) => id)).toEqual([created.id]);
});

test('re-sends: equal requests stay apart, a later number follows, another key and another body are others', async () => {
  const { server } = await startFrontDoor({ workers: 0 });
  const send = async (count: number | null, body: object = request(), headers: Record<string, string> = {}) => {
    const answer = await fetch(`${server.url}/v1/responses`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(count === null ? {} : { 'x-stainless-retry-count': String(count) }),
        ...headers,
      },
      body: JSON.stringify(body),
    });
    return ((await answer.json()) as { id: string }).id;
  };
  const first = await send(0);
  const second = await send(0);
  expect(second).not.toBe(first);
  const again = await Promise.all([send(1), send(1)]);
  expect(new Set(again)).toEqual(new Set([first, second]));
  // Both first sends are taken, because the first send of a third request never arrived.
  const third = await send(1);
  expect([first, second]).not.toContain(third);
  expect([first, second, third]).toContain(await send(2));
  expect([first, second, third]).not.toContain(await send(1, request({}, 'Another prompt')));
  // A client that does not send a retry count gets a new job each time.
  expect(await send(null)).not.toBe(await send(null));
  // A number was skipped because a send was lost on its way.
  const skipped = await send(0, request({}, 'Skipped'));
  expect(await send(2, request({}, 'Skipped'))).toBe(skipped);
});

test('input items: in full, with the same ids at every read, in pages', async () => {
  const { client } = await startFrontDoor({ workers: 0 });
  const input = [
    { role: 'user' as const, content: 'One' },
    { role: 'assistant' as const, content: 'Two' },
    { role: 'user' as const, content: [{ type: 'input_text' as const, text: 'Three' }] },
  ];
  const { id } = await client.responses.create({ model: 'm', input, ...background });
  const texts: string[] = [];
  for await (const item of client.responses.inputItems.list(id, { limit: 2, order: 'asc' })) {
    const { content } = item as { content: { type: string; text: string }[] };
    texts.push(`${content[0]?.type} ${content[0]?.text}`);
  }
  expect(texts).toEqual(['input_text One', 'output_text Two', 'input_text Three']);
  const read = async () => (await client.responses.inputItems.list(id)).data.map(item => item.id);
  expect(await read()).toEqual(await read());
  await expect(client.responses.inputItems.list(id, { after: 'msg_of_nobody' })).rejects.toMatchObject({ status: 400 });
});

test('I1: a chain goes on from a result under our id, and from no cancelled job', async () => {
  const { client, happened, simulatorLedger } = await startFrontDoor();
  const first = await client.responses.create(request());
  await happened('job_decided', ({ job_id }) => job_id === first.id);
  const next = await client.responses.create({ ...request(), previous_response_id: first.id });
  await happened('job_decided', ({ job_id }) => job_id === next.id);
  expect((await client.responses.retrieve(next.id)).status).toBe('completed');
  const refused = await client.responses.create(request({ duration_ms: 300 }));
  await client.responses.cancel(refused.id);
  await expect(client.responses.create({ ...request(), previous_response_id: refused.id })).rejects.toMatchObject({
    status: 400,
    param: 'previous_response_id',
  });
  await expect(client.responses.create({ ...request(), conversation: 'conv_1' })).rejects.toMatchObject({
    status: 400,
    param: 'conversation',
  });
  expect((await simulatorLedger()).responses.length).toBeGreaterThanOrEqual(2);
});

test('after its time a result is a 410, a cancelled job stays cancelled, and no client asks again', async () => {
  const { client, server, happened } = await startFrontDoor({ env: { HEADSTONE_RESULT_TTL_MS: '500' } });
  const refused = await client.responses.create(request({ duration_ms: 300 }));
  await client.responses.cancel(refused.id);
  const { id } = await client.responses.create(request());
  await happened('job_decided', ({ job_id }) => job_id === id);
  await expect
    .poll(async () => await client.responses.retrieve(id).catch((error: unknown) => error))
    .toMatchObject({ status: 410, code: 'result_expired' });
  expect((await fetch(`${server.url}/v1/responses/${id}`)).headers.get('x-should-retry')).toBe('false');
  await expect(client.responses.inputItems.list(id)).rejects.toMatchObject({ status: 410 });
  expect(await client.responses.retrieve(refused.id)).toMatchObject({ status: 'cancelled', output: [] });
});
