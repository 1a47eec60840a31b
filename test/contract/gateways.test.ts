// The answers that were reported of providers and gateways, each with what a user may expect.
import { describe, expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const background = { background: true } as const;

describe('codes that are no words', () => {
  const shapes: [string, unknown, unknown, unknown][] = [
    ['a number for a code', 429, 'RateLimitError', null],
    ['an object for a code', { id: 7 }, 'requests', null],
    ['a list for a type', 'rate_limit_exceeded', ['requests'], null],
    ['an object for a param', null, null, { name: 'model' }],
    ['a truth for a code', true, false, 1.5],
  ];

  test.for(shapes)('%s: the job can be read, cancelled, and completes', async ([, code, type, param]) => {
    const { client, producer, happened, server } = await startFrontDoor();
    const error = { message: 'Rate limit reached', type, param, code };
    const create_answer = { status: 429, body: { error } };
    const { id } = await client.responses.create({ ...scripted({ create_answer, create_times: 1 }), ...background });
    const other = await client.responses.create({ ...scripted({ create_answer }, 'For ever'), ...background });
    await happened('launch_refused', ({ job_id }) => job_id === id);
    await happened('launch_refused', ({ job_id }) => job_id === other.id);
    for (const path of [`/v1/responses/${id}`, `/v1/jobs/${id}`, '/v1/jobs', '/jobs', `/jobs/${id}`])
      expect((await fetch(`${server.url}${path}`)).status, path).toBe(200);
    expect((await client.responses.cancel(other.id)).status).toBe('cancelled');
    expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  });

  test.for([400, 404, 422])('in a %i that ends the job, too', async status => {
    const { producer, client } = await startFrontDoor();
    const error = { message: 'No such thing.', type: 'BadRequestError', param: null, code: status };
    const { id } = await producer.enqueue(scripted({ create_answer: { status, body: { error } } }));
    expect(await producer.wait(id)).toMatchObject({
      status: 'failed',
      error: { code: String(status), message: 'No such thing.' },
    });
    expect((await client.responses.retrieve(id)).status).toBe('failed');
  });

  test('I1: a record that the version before wrote with a number for a code is read, and cancelled', async () => {
    const { producer, client, redis, prefixOf } = await startFrontDoor({ workers: 0 });
    const { id } = await producer.enqueue(scripted());
    const place = `${await prefixOf(id)}:job:${id}`;
    const launch = { epoch: 1, at: 5, state: 'refused', code: 429 };
    await redis.hset(place, { 'launch:1': JSON.stringify(launch), 'launch:2': 'not JSON', deadline_at: 'soon' });
    await redis.rpush(`${await prefixOf(id)}:timeline:${id}`, 'nor this');
    const job = await producer.get(id);
    expect(job?.launches).toEqual([{ ...launch, code: '429', response_id: null }]);
    expect(job?.unreadable).toEqual(['deadline_at', 'launch:2', 'timeline']);
    expect((await client.responses.cancel(id)).status).toBe('cancelled');
    expect(await producer.list()).toMatchObject([{ id, status: 'cancelled' }]);
  });
});

describe('errors in other words', () => {
  test.for([
    ['a text for an error', 400, { error: 'The prompt is empty.' }, 'The prompt is empty.'],
    ['a detail', 422, { detail: 'Field required: model' }, 'Field required: model'],
    ['a list of details', 422, { detail: [{ loc: ['body'], msg: 'Field required' }] }, 'Field required'],
    ['a message alone', 424, { message: 'The tool failed.' }, 'The tool failed.'],
    ['problem+json', 451, { title: 'Not available here.' }, 'Not available here.'],
    ['a firewall’s size limit', 413, '<html>Too large</html>', 'The provider answered 413.'],
  ] as const)('%s in a %i ends the job with what was said', async ([, status, body, message]) => {
    const { producer, events } = await startHarness();
    const { id } = await producer.enqueue(scripted({ create_answer: { status, body } }));
    expect(await producer.wait(id)).toMatchObject({ status: 'failed', error: { message } });
    // Only the owner of the job may read the provider's message (I13).
    expect(JSON.stringify(events)).not.toContain(message);
  });

  test('a 501 is not known to have run nothing, and says what it said', async () => {
    const { producer } = await startHarness();
    const body = { error: { message: 'Background is not implemented.', type: 'x', code: null } };
    const { id } = await producer.enqueue(scripted({ create_answer: { status: 501, body } }));
    expect(await producer.wait(id)).toMatchObject({
      error: {
        code: 'launch_unknown',
        message: expect.stringMatching(/Background is not implemented\..*a retry may pay twice/),
      },
    });
  });

  test('a stream whose first event is an error says what it said', async () => {
    const { producer } = await startHarness();
    const stream_error = { error: { message: 'No capacity.', code: 503 } };
    const { id } = await producer.enqueue({ ...scripted({ stream_error }), stream: true });
    expect(await producer.wait(id)).toMatchObject({ error: { message: expect.stringContaining('No capacity.') } });
  });

  test.for(['TEXT/EVENT-STREAM; Charset=UTF-8', ''])(
    'a stream whose content type is "%s" is one',
    async stream_type => {
      const { producer } = await startHarness();
      const { id } = await producer.enqueue({
        ...scripted({ stream_type, duration_ms: 400, deltas: 4 }),
        stream: true,
      });
      const types: string[] = [];
      for await (const { type } of producer.subscribe(id)) types.push(type);
      expect(types.filter(type => type === 'response.output_text.delta')).toHaveLength(4);
    },
  );
});

test('I3: an id of 465 characters of any kind is polled, cancelled, settled and adopted', async () => {
  const { producer, happened, simulatorLedger } = await startHarness();
  const done = await producer.enqueue(scripted({ id_length: 465 }));
  expect(await producer.wait(done.id)).toMatchObject({ status: 'completed' });
  const flipped = await producer.enqueue(scripted({ id_length: 4000, duration_ms: 500, flip_after_ms: 50 }));
  const { response_id } = await happened('launch_acknowledged', ({ job_id }) => job_id === flipped.id);
  expect(response_id).toHaveLength(4000);
  await producer.cancel(flipped.id);
  expect(await happened('tokens_wasted')).toMatchObject({ response_id, status: 'final' });
  const { responses } = await simulatorLedger();
  const rows = await producer.ledger();
  expect(rows.map(row => row.usage?.total_tokens).sort()).toEqual(
    responses.map(({ billed }) => billed?.total_tokens).sort(),
  );
});

test('I3: a long id of the app’s own response is adopted under an id that is a job’s', async () => {
  const { producer, simulator } = await startHarness();
  const created = await fetch(`${simulator.url}/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...scripted({ id_length: 600 }), ...background }),
  });
  const { id: responseId } = (await created.json()) as { id: string };
  await expect(producer.adopt(responseId)).rejects.toThrow('option id');
  await producer.adopt(responseId, { id: 'adopted' });
  expect(await producer.wait('adopted')).toMatchObject({ status: 'completed' });
});

describe('gateways that ignore background', () => {
  test.for(['completed', 'incomplete', 'requires_action'] as const)(
    'I3: a create that is answered %s is the result, whatever a read says afterwards',
    async foreground => {
      const { producer, client, happened, simulatorLedger } = await startFrontDoor();
      const { id } = await client.responses.create({ ...scripted({ foreground, read: 'html' }), ...background });
      await happened('job_decided');
      const body = await client.responses.retrieve(id);
      expect(body.status).toBe(foreground);
      expect(body.output).toHaveLength(1);
      const [row] = await producer.ledger();
      const [response] = (await simulatorLedger()).responses;
      expect(row).toMatchObject({
        kind: 'used',
        status: 'final',
        usage: { total_tokens: response?.billed?.total_tokens },
      });
    },
  );

  test('one that failed at once has failed, with its reason', async () => {
    const { producer } = await startHarness();
    const { id } = await producer.enqueue(
      scripted({ foreground: 'failed', error_code: 'invalid_prompt', read: 'not_found' }),
    );
    expect(await producer.wait(id)).toMatchObject({ status: 'failed', error: { code: 'invalid_prompt' } });
  });

  test('I6: one that failed at once is launched again, and the second create is given its time', {
    timeout: 20_000,
  }, async () => {
    const response = { object: 'response', model: 'gpt-5.5', output: [], usage: null };
    const error = { code: 'server_error', message: 'The server had an error.' };
    let creates = 0;
    const upstreamUrl = await startUpstream((request, _, reply) => {
      if (!request.url?.endsWith('/responses')) return answer(reply, 404, { error: { message: 'Not found.' } });
      creates += 1;
      if (creates === 1) return answer(reply, 200, { ...response, id: 'resp_first', status: 'failed', error });
      // Longer than a worker may hold its entry without a sign of life.
      setTimeout(() => answer(reply, 200, { ...response, id: 'resp_second', status: 'completed' }), 5000);
    });
    const { producer, events } = await startHarness({ upstreamUrl });
    const { id } = await producer.enqueue({ model: 'gpt-5.5', input: 'Tides' }, { attempts: 2 });
    expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
    expect(creates).toBe(2);
    expect(events.filter(({ name }) => name === 'launch_unknown')).toEqual([]);
  });

  test('I1: a result that came with the create is dropped where the job was cancelled meanwhile', async () => {
    const { producer, happened } = await startHarness();
    const { id } = await producer.enqueue(scripted({ foreground: 'completed', create_ms: 400, read: 'not_found' }));
    await happened('launch_intended');
    expect(await producer.cancel(id)).toEqual({ verdict: 'cancelled' });
    expect(await happened('tokens_wasted')).toMatchObject({ status: 'final', cause: 'cancelled' });
    expect((await producer.get(id))?.response).toBeNull();
  });
});

test('what a create asked to have included is asked for at each read, but for what is refused there', async () => {
  const { producer } = await startHarness();
  const include = ['file_search_call.results', 'reasoning.encrypted_content'];
  for (const stream of [false, true]) {
    const { id } = await producer.enqueue({ ...scripted({ searches: true }), include, stream });
    const done = await producer.wait(id);
    const search =
      done.status === 'completed' ? done.response.output?.find(({ type }) => type === 'file_search_call') : undefined;
    if (!stream) expect(search).toMatchObject({ results: [{ text: 'Tides rise.' }] });
  }
});

test('what a reader asks to have included is asked for from then on', async () => {
  const { client, happened } = await startFrontDoor();
  const { id } = await client.responses.create({ ...scripted({ searches: true, duration_ms: 600 }), ...background });
  await client.responses.retrieve(id, { include: ['file_search_call.results'] });
  await happened('job_decided');
  expect((await client.responses.retrieve(id)).output[0]).toMatchObject({ results: [{ text: 'Tides rise.' }] });
});

describe('numbers of events', () => {
  test.for(['none', 'zero', 'restart'] as const)(
    'each delta comes once and in order where they are %s',
    async numbers => {
      const { producer } = await startHarness();
      for (const script of [{}, { drop_after: 6 }]) {
        const wish = { ...scripted({ numbers, duration_ms: 500, deltas: 8, ...script }), stream: true };
        const { id } = await producer.enqueue(wish);
        let text = '';
        const seen: number[] = [];
        for await (const event of producer.subscribe(id)) {
          if (event.type === 'response.output_text.delta') text += String(event.delta);
          seen.push(event.sequence_number);
        }
        expect(text).toBe('Here is what there is to say about: Write about tides');
        expect(seen).toEqual([...new Set(seen)].sort((left, right) => left - right));
      }
    },
  );
});

test('a stored prompt names the model, and rows follow', async () => {
  const { producer, client } = await startFrontDoor();
  const { metadata } = scripted();
  const { id } = await client.responses.create({ prompt: { id: 'pmpt_1' }, metadata, ...background });
  expect(await producer.wait(id)).toMatchObject({ status: 'completed' });
  expect((await producer.get(id))?.model).toBe('gpt-5.5');
  expect(await producer.ledger()).toMatchObject([{ model: 'gpt-5.5', kind: 'used' }]);
  await expect(client.responses.create({ input: 'x', ...background })).rejects.toMatchObject({
    status: 400,
    param: 'model',
  });
});

test('a failed run keeps the code that the SDK knows, and what it had of an output', async () => {
  const { producer, client, happened } = await startFrontDoor();
  const { id } = await producer.enqueue(scripted({ end: 'failed', error_code: 'image_too_large', partial: true }));
  await happened('job_decided');
  const body = await client.responses.retrieve(id);
  expect(body).toMatchObject({ status: 'failed', error: { code: 'image_too_large' } });
  expect(body.output_text).toContain('tides');
  expect(body.usage?.total_tokens).toBe((await producer.ledger())[0]?.usage?.total_tokens);
  const odd = await producer.enqueue(scripted({ end: 'failed', error_code: 'no_such_code' }));
  await happened('job_decided', ({ job_id }) => job_id === odd.id);
  expect((await client.responses.retrieve(odd.id)).error).toMatchObject({
    code: 'server_error',
    message: expect.stringContaining('no_such_code'),
  });
});

test('a usage that comes late reaches whoever reads the result', async () => {
  const { producer, client, happened } = await startFrontDoor();
  const { id } = await producer.enqueue(scripted({ usage_after_ms: 600 }));
  await happened('job_decided');
  expect((await client.responses.retrieve(id)).usage).toBeNull();
  await expect
    .poll(async () => (await client.responses.retrieve(id)).usage?.total_tokens ?? 0, { timeout: 5000 })
    .toBeGreaterThan(0);
  expect((await client.responses.retrieve(id)).usage).toEqual((await producer.ledger())[0]?.usage);
});

describe('background_options', () => {
  test('a window is passed on, is no stream, and its price is what the settings say', async () => {
    const env = { HEADSTONE_PRICES: JSON.stringify({ windows: { '8h': 0.5 } }) };
    const { producer, client, happened } = await startFrontDoor({ env });
    const wish = { ...scripted({ input_tokens: 1000, output_tokens: 1000 }), ...background };
    const cost = async (background_options?: object) => {
      const { id } = await client.responses.create({ ...wish, ...(background_options ? { background_options } : {}) });
      await happened('job_decided', ({ job_id }) => job_id === id);
      return (await producer.get(id))?.ledger[0]?.cost_usd_micros ?? null;
    };
    const full = await cost();
    expect(full).toBeGreaterThan(0);
    expect(await cost({ completion_window: 'soonest' })).toBe(full);
    expect(await cost({ completion_window: '8h', continuation_id: 'c' })).toBe((full ?? 0) / 2);
    // No provider has published a price for this window.
    expect(await cost({ completion_window: '2h' })).toBeNull();
    const stream = client.responses.create({ ...wish, background_options: { completion_window: '2h' }, stream: true });
    await expect(stream).rejects.toMatchObject({ status: 400, param: 'stream' });
  });

  test('I3: no row is closed while its response waits at the provider, however short the window', async () => {
    const { producer, happened, simulatorLedger } = await startHarness({
      env: { HEADSTONE_SETTLE_WINDOW_MS: '400', HEADSTONE_SETTLE_FIRST_MS: '50' },
    });
    // The provider ignores its cancel, and it runs for longer than it is watched.
    const { id } = await producer.enqueue(scripted({ duration_ms: 3000, cancel_fails: 1000 }));
    await happened('launch_acknowledged');
    await producer.cancel(id);
    expect(await happened('tokens_wasted')).toMatchObject({
      status: 'final',
      total_tokens: (await simulatorLedger()).responses[0]?.billed?.total_tokens ?? 0,
    });
  });
});
