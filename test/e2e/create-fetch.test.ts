import { AzureOpenAI, OpenAI } from 'openai';
import { expect, test } from 'vitest';
import { createFetch } from '../../src/server/create-fetch.ts';
import { type HarnessOptions, scripted, startHarness } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const request = (script: object = {}, input?: string) => ({ ...scripted(script, input), background: true as const });

async function startApp(options: HarnessOptions = {}) {
  const harness = await startHarness(options);
  const real: string[] = [];
  const fetchAt: typeof fetch = async (input, init) => {
    const call = new Request(input, init);
    real.push(`${call.method} ${new URL(call.url).pathname}`);
    return await fetch(call);
  };
  const baseURL = harness.simulator.url;
  const clientOf = (tenant?: string) =>
    new OpenAI({
      apiKey: 'any',
      baseURL,
      maxRetries: 0,
      fetch: createFetch(harness.producer, { fetch: fetchAt, ...(tenant ? { tenant } : {}) }),
    });
  return { ...harness, real, fetchAt, clientOf, client: clientOf() };
}

test('I1: three words more in an app, and its create, retrieve loop and cancel hold, without a server', async () => {
  const { client, happened, producer, real } = await startApp();
  const created = await client.responses.create(request());
  await expect.poll(async () => (await client.responses.retrieve(created.id)).status).toBe('completed');
  const unwanted = await client.responses.create(request({ duration_ms: 300, flip_after_ms: 100 }, 'Unwanted'));
  await happened('launch_acknowledged', ({ job_id }) => job_id === unwanted.id);
  expect((await client.responses.cancel(unwanted.id)).status).toBe('cancelled');
  await happened('tokens_wasted');
  for (let read = 0; read < 50; read += 1)
    expect(await client.responses.retrieve(unwanted.id)).toMatchObject({ status: 'cancelled', output: [] });
  expect((await producer.list()).length).toBe(2);
  expect((await client.responses.inputItems.list(created.id)).data).toHaveLength(1);
  await client.responses.delete(created.id);
  await expect(client.responses.retrieve(created.id)).rejects.toMatchObject({ status: 404 });
  expect(real).toEqual([]);
});

test('streams go through too: plain iteration, stream(), and a cancel that ends them', async () => {
  const { client } = await startApp();
  const { background, ...wish } = request({ duration_ms: 700 });
  const runner = client.responses.stream({ ...wish, background: true });
  expect((await runner.finalResponse()).output_text).toContain('Write about tides');
  let last = '';
  let id = '';
  for await (const event of await client.responses.create({ ...request({ duration_ms: 3000 }), stream: true })) {
    last = event.type;
    if (event.type === 'response.created') id = event.response.id;
    if (event.type === 'response.output_text.delta') await client.responses.cancel(id);
  }
  expect(last).toBe('response.failed');
});

test('what is not a background response goes on to the real fetch; a chain under the provider’s id, and never to a refused one', async () => {
  const bodies: string[] = [];
  const upstreamUrl = await startUpstream((_call, body, response) => {
    bodies.push(body);
    answer(response, 200, { id: 'resp_direct', object: 'response', status: 'completed', output: [], data: [] });
  });
  const { producer, happened, fetchAt, real, client } = await startApp();
  const direct = new OpenAI({ apiKey: 'any', baseURL: upstreamUrl, fetch: createFetch(producer, { fetch: fetchAt }) });
  await direct.models.list();
  expect((await direct.responses.create({ model: 'm', input: 'Now' })).id).toBe('resp_direct');
  expect((await direct.responses.retrieve('resp_direct')).id).toBe('resp_direct');
  expect(real).toEqual(['GET /v1/models', 'POST /v1/responses', 'GET /v1/responses/resp_direct']);
  const first = await client.responses.create(request());
  const { response_id } = await happened('launch_acknowledged');
  await happened('job_decided');
  await direct.responses.create({ model: 'm', input: 'More', previous_response_id: first.id });
  expect(JSON.parse(bodies.at(-1) ?? '')).toMatchObject({ previous_response_id: response_id });
  const refused = await client.responses.create(request({ duration_ms: 400 }, 'Refused'));
  await client.responses.cancel(refused.id);
  const chain = direct.responses.create({ model: 'm', input: 'x', previous_response_id: refused.id });
  await expect(chain).rejects.toThrow();
  await expect(direct.responses.retrieve(response_id)).rejects.toMatchObject({ status: 404 });
});

test('I12: each fetch has its tenant, errors are OpenAI’s, an abort aborts, and Azure’s paths are known', async () => {
  const { clientOf, producer, simulator, fetchAt } = await startApp({ workers: 0 });
  const { id } = await clientOf('harbour').responses.create(request());
  expect((await producer.get(id))?.tenant).toBe('harbour');
  await expect(clientOf('museum').responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
  await expect(clientOf().responses.create({ ...request(), input: '' })).rejects.toMatchObject({
    status: 400,
    param: 'input',
  });
  const signal = AbortSignal.abort();
  await expect(clientOf('harbour').responses.retrieve(id, {}, { signal })).rejects.toThrow(/abort/i);
  const azure = new AzureOpenAI({
    apiKey: 'any',
    apiVersion: '2025-04-01-preview',
    baseURL: `${new URL(simulator.url).origin}/openai`,
    fetch: createFetch(producer, { fetch: fetchAt }),
  });
  expect((await azure.responses.create(request({}, 'From Azure'))).status).toBe('queued');
});
