import { OpenAI } from 'openai';
import { expect, test } from 'vitest';
import { scripted, startHarness } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

test('I4: when the POST arrives at the provider, the intent that it names is in the store', async () => {
  const found: unknown[] = [];
  let harness: Awaited<ReturnType<typeof startHarness>> | undefined;
  const upstreamUrl = await startUpstream(async (request, body, response) => {
    if (request.method !== 'POST') return answer(response, 200, { id: 'resp_up', status: 'completed', output: [] });
    const mark = (JSON.parse(body) as { metadata: { headstone: string } }).metadata.headstone;
    const [, id = '', epoch] = mark.split('/');
    const job = await harness?.producer.get(id);
    found.push({ status: job?.status, launch: job?.launches.find(launch => launch.epoch === Number(epoch))?.state });
    answer(response, 200, { id: 'resp_up', status: 'queued' });
  });
  harness = await startHarness({ upstreamUrl });
  const { id } = await harness.producer.enqueue(scripted());
  await harness.producer.wait(id);
  expect(found).toEqual([{ status: 'launching', launch: 'intended' }]);
});

test('I4: the create carries background, store and our one metadata pair, and the result does not show it', async () => {
  const { producer, simulatorLedger } = await startHarness();
  const { id } = await producer.enqueue({ ...scripted(), metadata: { ...scripted().metadata, colour: 'blue' } });
  const done = await producer.wait(id);
  const [launched] = (await simulatorLedger()).responses;
  expect(launched?.metadata.headstone).toMatch(new RegExp(`^[0-9a-f]{8}/${id}/\\d+$`));
  expect(launched?.metadata.colour).toBe('blue');
  expect(done).toMatchObject({ status: 'completed', response: { metadata: { colour: 'blue' } } });
  expect(JSON.stringify(done)).not.toContain('headstone');
});

/** An app may give its own client, which the worker then calls the provider by. */
const ownClient = (baseURL: string) => new OpenAI({ apiKey: 'simulated', baseURL });

test.for([
  ['a reset connection', { create: 'reset' }, 'ECONNRESET'],
  ['JSON cut short', { create: 'truncated' }, 'malformed_answer'],
  ['a page of HTML', { create: 'html' }, 'malformed_answer'],
  ['silence', { create: 'hang' }, 'timeout'],
  ['a 500', { create: 'server_error' }, 'http_500'],
  ['a 500, by the app’s own client,', { create: 'server_error' }, 'http_500', ownClient],
  ['a reset connection, by the app’s own client,', { create: 'reset' }, 'ECONNRESET', ownClient],
] as const)(
  'I4, I6: a create that ends in %s is reported unknown, launched once and never again',
  async ([, script, code, openai]) => {
    const { producer, happened, simulatorLedger } = await startHarness(openai ? { openai } : {});
    const { id } = await producer.enqueue(scripted(script));
    expect(await happened('launch_unknown')).toMatchObject({ job_id: id });
    const done = await producer.wait(id);
    expect(done).toMatchObject({ status: 'failed', error: { code: 'launch_unknown' } });
    const job = await producer.get(id);
    expect(job?.launches).toMatchObject([{ state: 'unknown', response_id: null }]);
    expect([code, 'UND_ERR_SOCKET', 'connection_lost']).toContain(job?.launches[0]?.code);
    expect((await simulatorLedger()).creates).toBe(1);
  },
);
