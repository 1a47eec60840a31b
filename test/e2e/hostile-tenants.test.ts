import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';

const keys = { alice: 'key-of-alice-0123456789', bob: 'key-of-bob-0123456789ab', root: 'key-of-root-0123456789a' };
const apiKeys = [
  { name: 'alice', key: keys.alice, tenant: 'harbour', admin: false },
  { name: 'bob', key: keys.bob, tenant: 'museum', admin: false },
  { name: 'root', key: keys.root, tenant: 'operators', admin: true },
];
const background = { background: true } as const;
const SECRET = 'the harbour master drinks';

async function startTown(workers = 1) {
  const town = await startFrontDoor({ workers, apiKeys });
  const ask = async (
    key: string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const answer = await fetch(`${town.server.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Answer };
  };
  return { ...town, ask };
}

/** The part of the answers that the tests read. */
interface Answer {
  id: string;
  job_id?: string;
  status: string;
  error: { message: string; param: string; code: string } | null;
  data: { id: string; job_id: string }[];
  output: { content: { text: string }[] }[];
}

/** A job of Alice whose result contains the secret and which the provider completes despite the cancel. */
async function refusedSecret(town: Awaited<ReturnType<typeof startTown>>) {
  const { id } = await town.clientOf(keys.alice).responses.create({
    ...scripted({ duration_ms: 300, flip_after_ms: 50 }, SECRET),
    ...background,
  });
  const { response_id } = await town.happened('launch_acknowledged', ({ job_id }) => job_id === id);
  await town.clientOf(keys.alice).responses.cancel(id);
  await town.happened('tokens_wasted', ({ job_id }) => job_id === id);
  return response_id;
}

test('I1, I12: no reserved name in a body or in metadata reaches a response that was refused', async () => {
  const town = await startTown();
  const response_id = await refusedSecret(town);
  const attacks = [
    { headstone_predecessor: response_id },
    { headstone_status: 'completed' },
    { metadata: { ...scripted().metadata, headstone: `x/${response_id}/1` } },
    { metadata: { ...scripted().metadata, headstone_job: 'x' } },
  ];
  for (const attack of attacks) {
    const { status, body } = await town.ask(keys.bob, 'POST', '/v1/responses', {
      ...scripted(),
      ...background,
      ...attack,
    });
    expect(status, JSON.stringify(attack)).toBe(400);
    expect(body.error?.message).toMatch(/headstone/);
    await expect(town.producer.enqueue({ ...scripted(), ...attack })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  }
  expect((await town.simulatorLedger()).responses).toHaveLength(1);
});

test('I1: what the version before took from a caller is not believed, and what it wrote itself is', async () => {
  const town = await startTown(0);
  const { producer, redis, prefixOf, startWorker, simulatorLedger } = town;
  const forged = await producer.enqueue(scripted({}, 'forged'));
  const chained = await producer.enqueue(scripted({}, 'chained'));
  const write = async (id: string, fields: object) => {
    const stored = JSON.parse((await redis.get(`${await prefixOf(id)}:request:${id}`)) ?? '{}');
    await redis.set(`${await prefixOf(id)}:request:${id}`, JSON.stringify({ ...stored, ...fields }));
  };
  await write(forged.id, { headstone_predecessor: 'resp_stolen' });
  await write(chained.id, { headstone_predecessor: 'resp_provider', previous_response_id: 'resp_ours' });
  await startWorker();
  await producer.wait(forged.id);
  await producer.wait(chained.id);
  expect((await producer.get(forged.id))?.response?.previous_response_id).toBeNull();
  expect((await producer.get(chained.id))?.response?.previous_response_id).toBe('resp_provider');
  expect((await simulatorLedger()).responses).toHaveLength(2);
});

test('I1, I12: an item that a reader heard of before the cancel brings nothing back, by nobody and in no shape', async () => {
  const town = await startTown();
  const { clientOf, ask, producer, happened } = town;
  const stream = await clientOf(keys.alice).responses.create({
    ...scripted({ duration_ms: 1500, flip_after_ms: 50, deltas: 4 }, SECRET),
    ...background,
    stream: true,
  });
  let job = '';
  let item = '';
  for await (const event of stream) {
    if (event.type === 'response.created') job = event.response.id;
    if (event.type !== 'response.output_item.added') continue;
    item = event.item.id ?? '';
    await clientOf(keys.alice).responses.cancel(job);
  }
  await happened('tokens_wasted');
  expect(item).toMatch(/^msg_/);
  const shapes = [{ type: 'item_reference', id: item }, { id: item }, { type: 'image_generation_call', id: item }];
  for (const shape of shapes) {
    const body = { ...scripted(), ...background, input: [shape] };
    for (const key of [keys.alice, keys.bob, keys.root])
      expect((await ask(key, 'POST', '/v1/responses', body)).status, JSON.stringify(shape)).toBe(400);
    await expect(producer.enqueue({ ...scripted(), input: [shape] }, { tenant: 'harbour' })).rejects.toMatchObject({
      param: 'input',
    });
  }
});

test('I12: an item of a result is its tenant’s to name, and of a deleted one nobody’s', async () => {
  const { clientOf, ask, happened } = await startTown();
  const { id } = await clientOf(keys.alice).responses.create({ ...scripted({}, SECRET), ...background });
  await happened('job_decided');
  const item = (await clientOf(keys.alice).responses.retrieve(id)).output[0]?.id ?? '';
  const body = { ...scripted(), ...background, input: [{ type: 'item_reference', id: item }] };
  expect((await ask(keys.bob, 'POST', '/v1/responses', body)).status).toBe(400);
  expect((await ask(keys.alice, 'POST', '/v1/responses', body)).status).toBe(200);
  const unknown = { ...body, input: [{ type: 'item_reference', id: 'msg_of_somebody' }] };
  expect((await ask(keys.bob, 'POST', '/v1/responses', unknown)).status).toBe(400);
  await clientOf(keys.alice).responses.delete(id);
  expect((await ask(keys.alice, 'POST', '/v1/responses', body)).status).toBe(400);
});

test('I12: two tenants who choose one id, or one key, meet in nothing', async () => {
  const { ask, clientOf, happened, producer } = await startTown();
  const create = (key: string, input: string, headers = {}) =>
    ask(
      key,
      'POST',
      '/v1/responses',
      { ...scripted({}, input), ...background, headstone: { id: 'report-1' } },
      headers,
    );
  const [alices, bobs] = [await create(keys.alice, 'Eels'), await create(keys.bob, 'Kelp')];
  expect([alices.status, bobs.status]).toEqual([200, 200]);
  expect([alices.body.id, bobs.body.id]).toEqual(['report-1', 'report-1']);
  await happened('job_decided');
  await expect.poll(async () => (await ask(keys.bob, 'GET', '/v1/responses/report-1')).body.status).toBe('completed');
  await expect.poll(async () => (await ask(keys.alice, 'GET', '/v1/responses/report-1')).body.status).toBe('completed');
  const textOf = async (key: string) =>
    (await ask(key, 'GET', '/v1/responses/report-1')).body.output[0]?.content[0]?.text;
  expect(await textOf(keys.alice)).toContain('Eels');
  expect(await textOf(keys.bob)).toContain('Kelp');
  // The same request is the same job, and another request with this id is a conflict with the caller's own job.
  expect((await create(keys.alice, 'Eels')).body.id).toBe('report-1');
  expect((await create(keys.alice, 'Other')).status).toBe(409);
  // Every answer uses the chosen id, also when the job is deleted, chained and listed.
  expect((await ask(keys.bob, 'GET', '/v1/jobs')).body.data.map(({ id }) => id)).toEqual(['report-1']);
  expect((await ask(keys.bob, 'GET', '/v1/ledger')).body.data.map(row => row.job_id)).toEqual(['report-1']);
  const chained = { ...scripted(), ...background, previous_response_id: 'report-1' };
  expect((await ask(keys.bob, 'POST', '/v1/responses', chained)).status).toBe(200);
  await clientOf(keys.bob).responses.delete('report-1');
  expect((await ask(keys.bob, 'GET', '/v1/responses/report-1')).status).toBe(404);
  expect(await textOf(keys.alice)).toContain('Eels');
  // An operator is told that there are two jobs, and their ids.
  const both = await ask(keys.root, 'GET', '/v1/responses/report-1');
  expect(both.status).toBe(400);
  const [own] = /own_[0-9a-f]{40,42} \(harbour\)/.exec(both.body.error?.message ?? '') ?? [];
  expect((await ask(keys.root, 'GET', `/v1/responses/${own?.split(' ')[0]}`)).body.id).toBe('report-1');
  expect((await ask(keys.bob, 'GET', `/v1/responses/${own?.split(' ')[0]}`)).status).toBe(404);
  // The ids that the app chooses are a separate namespace.
  await expect(producer.get('report-1')).rejects.toThrow('Several tenants');
  const app = await producer.enqueue(scripted({}, 'App'), { id: 'report-2', tenant: 'harbour' });
  expect((await ask(keys.alice, 'GET', `/v1/responses/${app.id}`)).status).toBe(200);
  const taken = { ...scripted({}, 'Alice'), ...background, headstone: { id: 'report-2' } };
  expect((await ask(keys.alice, 'POST', '/v1/responses', taken)).status).toBe(409);
  expect((await ask(keys.bob, 'POST', '/v1/responses', taken)).status).toBe(200);
});

test('I12: the id of an Idempotency-Key can neither be guessed nor taken, and an old one is still found', async () => {
  const { ask, producer } = await startTown(0);
  const oldId = (tenant: string, key: string) =>
    `resp_${createHash('sha256')
      .update(JSON.stringify([tenant, key]))
      .digest('hex')
      .slice(0, 32)}`;
  const body = { ...scripted(), ...background };
  const send = (key: string, idempotencyKey: string) =>
    ask(key, 'POST', '/v1/responses', body, { 'idempotency-key': idempotencyKey });
  // An id that was taken by the version before.
  const squat = { ...body, headstone: { id: oldId('harbour', 'order-7') } };
  expect((await ask(keys.bob, 'POST', '/v1/responses', squat)).status).toBe(200);
  await producer.enqueue(scripted(), { id: oldId('harbour', 'order-8'), tenant: 'museum' });
  for (const key of ['order-7', 'order-8']) {
    const first = await send(keys.alice, key);
    expect(first.status).toBe(200);
    expect(first.body.id).not.toBe(oldId('harbour', key));
    expect((await send(keys.alice, key)).body.id).toBe(first.body.id);
    expect((await send(keys.bob, key)).body.id).not.toBe(first.body.id);
  }
  // Made by the version before.
  await producer.enqueue(scripted(), { id: oldId('harbour', 'order-9'), tenant: 'harbour' });
  expect((await send(keys.alice, 'order-9')).body.id).toBe(oldId('harbour', 'order-9'));
});

test('I9: readers of streams have a place each, by tenant and in all, and who finds none has nothing to pay for', async () => {
  const door = await startFrontDoor({
    apiKeys,
    env: { HEADSTONE_STREAM_READERS: 'process=3,tenant=2' },
  });
  const { server, producer } = door;
  const { id } = await producer.enqueue({ ...scripted({ stuck: true }), stream: true }, { tenant: 'harbour' });
  const follow = async (key: string, path: string, init: RequestInit = {}) => {
    const gone = new AbortController();
    const answer = await fetch(`${server.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      signal: gone.signal,
    });
    return { answer, leave: () => gone.abort() };
  };
  const path = `/v1/responses/${id}?stream=true`;
  const readers = [await follow(keys.alice, path), await follow(keys.alice, path)];
  expect(readers.map(({ answer }) => answer.status)).toEqual([200, 200]);
  const create = { method: 'POST', body: JSON.stringify({ ...scripted(), ...background, stream: true }) };
  const refused = await follow(keys.alice, '/v1/responses', create);
  expect(refused.answer.status).toBe(429);
  expect(refused.answer.headers.get('retry-after')).toBe('5');
  expect(await producer.list({ tenant: 'harbour' })).toHaveLength(1);
  const other = await follow(keys.bob, '/v1/responses', create);
  expect(other.answer.status).toBe(200);
  expect((await follow(keys.root, path)).answer.status).toBe(429);
  const readersNow = async () =>
    /headstone_stream_readers (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1];
  expect(await readersNow()).toBe('3');
  for (const { leave } of [...readers, other]) leave();
  await expect.poll(readersNow).toBe('0');
});

test('I12: where an account is shared, a predecessor that nobody knows is as unusable as another tenant’s', async () => {
  const { ask, producer } = await startTown(0);
  await producer.enqueue(scripted(), { id: 'order-1', tenant: 'harbour' });
  const answers = await Promise.all(
    ['order-1', 'order-2', 'resp_somebody'].map(previous_response_id =>
      ask(keys.bob, 'POST', '/v1/responses', { ...scripted(), ...background, previous_response_id }),
    ),
  );
  expect(answers.map(({ status, body }) => [status, body.error?.param])).toEqual([
    [400, 'previous_response_id'],
    [400, 'previous_response_id'],
    [400, 'previous_response_id'],
  ]);
});

test('I1: names in other letters, which a lenient reader would take for ours, are refused', async () => {
  const { producer } = await startTown(0);
  for (const disguise of [{ Conversation: 'conv_1' }, { Previous_Response_Id: 'resp_1' }, { HEADSTONE_x: 1 }])
    await expect(producer.enqueue({ ...scripted(), ...disguise })).rejects.toMatchObject({ code: 'invalid_request' });
});

test('I9: a reader who has gone before the stream began keeps no place', async () => {
  const { server, producer } = await startFrontDoor({
    apiKeys,
    env: { HEADSTONE_STREAM_READERS: 'process=4,tenant=2' },
  });
  const { id } = await producer.enqueue({ ...scripted({ stuck: true }), stream: true }, { tenant: 'harbour' });
  const { hostname, port } = new URL(server.url);
  for (let n = 0; n < 20; n += 1)
    await new Promise<void>(resolve => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `GET /v1/responses/${id}?stream=true HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${keys.alice}\r\n\r\n`,
          () => socket.resetAndDestroy(),
        );
      });
      socket.on('close', () => resolve()).on('error', () => {});
    });
  await expect
    .poll(async () => /headstone_stream_readers (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1])
    .toBe('0');
});

test('I12: an item’s id in other letters is refused, because a lenient gateway would look it up', async () => {
  const { clientOf } = await startFrontDoor({ workers: 0, apiKeys });
  const input = [{ type: 'item_reference', ID: 'msg_of_another' }] as never;
  await expect(clientOf(keys.bob).responses.create({ model: 'm', input, background: true })).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('ID'),
  });
});
