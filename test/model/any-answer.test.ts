import type { IncomingMessage, ServerResponse } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startFrontDoor } from '../support/front-door.ts';
import { startUpstream } from '../support/upstream.ts';

/**
 * Whatever a provider sends, wherever it sends something, the job can afterwards be read, listed and cancelled, it ends,
 * and it affects no other job.
 */

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const RUNS = Number(process.env.ANY_ANSWER_RUNS ?? 120);

/** Values of the wrong type for the fields that Headstone reads. */
const oddValue = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('__proto__', '..', '.', 'a|b', 'a\nb', '\u0000', '\ud83d', 'x'.repeat(5000), 9e15, -1),
  fc.array(fc.integer(), { maxLength: 3 }),
  fc.dictionary(fc.string(), fc.integer(), { maxKeys: 3 }),
);
const known = {
  id: oddValue,
  status: fc.oneof(
    oddValue,
    fc.constantFrom('queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled'),
  ),
  created_at: oddValue,
  model: oddValue,
  output: oddValue,
  usage: fc.oneof(oddValue, fc.record({ input_tokens: oddValue, output_tokens: oddValue, total_tokens: oddValue })),
  error: fc.oneof(oddValue, fc.record({ code: oddValue, message: oddValue, type: oddValue, param: oddValue })),
  metadata: oddValue,
  service_tier: oddValue,
  tool_usage: oddValue,
};
/** Usually a response with odd fields, sometimes any JSON at all. */
const json = fc.oneof(
  { weight: 4, arbitrary: fc.record(known, { requiredKeys: [] }) },
  { weight: 2, arbitrary: fc.record({ ...known, id: fc.constantFrom('resp_1', 'r/?#%', 'é🙂', 'x'.repeat(465)) }) },
  { weight: 1, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: fc.record({ error: oddValue, detail: oddValue, message: oddValue }, { requiredKeys: [] }) },
);
const event = fc.oneof(
  fc.record(
    {
      type: fc.constantFrom(
        'response.created',
        'response.output_text.delta',
        'response.output_item.added',
        'error',
        'keepalive',
        'response.completed',
        'response.failed',
        'x',
      ),
      sequence_number: oddValue,
      delta: oddValue,
      item: oddValue,
      output_index: oddValue,
      response: json,
    },
    { requiredKeys: ['type'] },
  ),
  json,
);
const body = fc.oneof(
  { weight: 5, arbitrary: json.map(value => JSON.stringify(value)) },
  {
    weight: 3,
    arbitrary: fc
      .array(event, { maxLength: 6 })
      .map(events => events.map(one => `data: ${JSON.stringify(one)}\n\n`).join('')),
  },
  { weight: 1, arbitrary: fc.string() },
  {
    weight: 1,
    arbitrary: fc.constantFrom('<html>no</html>', '{"id": "resp_', '', 'data: {\n\n', 'event: error\ndata: "x"\n\n'),
  },
);
const headers = fc.record(
  {
    'content-type': fc.constantFrom(
      'application/json',
      'TEXT/EVENT-STREAM',
      'text/html',
      'x',
      'application/json; charset=x',
    ),
    'retry-after': fc.constantFrom('1', '-1', 'soon', '1e99', '', 'Wed, 21 Oct 2099 07:28:00 GMT'),
    'retry-after-ms': fc.constantFrom('5', 'x', '-5', 'Infinity'),
    'x-ms-served-model': fc.constantFrom('m', 'constructor', '   '),
    'x-should-retry': fc.constantFrom('true', 'maybe'),
  },
  { requiredKeys: [] },
);
const answer: fc.Arbitrary<Answer> = fc.record({
  status: fc.oneof(
    fc.constantFrom(200, 200, 200, 202, 204, 400, 401, 403, 404, 408, 409, 422, 429, 500, 501, 503),
    fc.integer({ min: 200, max: 599 }),
  ),
  headers,
  body,
});

test('no answer of a provider makes a job unreadable, uncancellable, stuck, or someone else’s problem', async () => {
  let create: Answer[] = [];
  let others: Answer[] = [];
  const say = (response: ServerResponse, { status, headers: given, body: text }: Answer) => {
    const hasBody = status !== 204 && status !== 205 && status !== 304;
    response.writeHead(status, given).end(hasBody ? text : undefined);
  };
  const upstreamUrl = await startUpstream((request: IncomingMessage, _body, response) => {
    const isCreate = request.method === 'POST' && request.url?.endsWith('/responses');
    const list = isCreate ? create : others;
    const next = list.length > 1 ? list.shift() : list[0];
    say(response, next ?? { status: 500, headers: {}, body: '' });
  });
  const { client, producer, redis, prefix, server } = await startFrontDoor({
    upstreamUrl,
    env: {
      HEADSTONE_LAUNCH_TIMEOUT_MS: '1500',
      HEADSTONE_STREAM_SILENCE_MS: '200',
      HEADSTONE_UNKNOWN_GRACE_MS: '50',
      HEADSTONE_CONCURRENCY: 'launch=4',
    },
  });
  const everyHold = `${prefix.slice(0, -1)}*:hold:*`;
  let run = 0;
  const property = fc.asyncProperty(
    fc.array(answer, { minLength: 1, maxLength: 3 }),
    fc.array(answer, { minLength: 1, maxLength: 4 }),
    fc.boolean(),
    async (creates, rest, stream) => {
      run += 1;
      create = creates;
      others = rest;
      // The holds of earlier runs must not affect this one.
      const holds = await redis.keys(everyHold);
      if (holds.length > 0) await redis.del(...holds);
      const { id } = await producer.enqueue({ model: `m-${run}`, input: 'x', stream });
      await expect
        .poll(async () => (await producer.get(id))?.launches.some(({ state }) => state !== 'intended'), {
          timeout: 8000,
        })
        .toBe(true);
      const read = async () => {
        const body = (await producer.get(id))?.status;
        for (const path of [`/v1/jobs/${id}`, '/v1/jobs?limit=3', '/v1/ledger?limit=3', `/jobs/${id}`, '/v1/waste'])
          expect((await fetch(`${server.url}${path}`)).status, path).toBe(200);
        await client.responses.retrieve(id);
        return body;
      };
      await read();
      const { verdict } = await producer.cancel(id);
      expect(verdict).not.toBe('not_found');
      expect(['completed', 'incomplete', 'failed', 'cancelled', 'expired']).toContain(await read());
      expect((await producer.get(id))?.unreadable).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
  // Other jobs are not affected.
  create = [{ status: 200, headers: {}, body: JSON.stringify({ id: 'resp_good', status: 'queued' }) }];
  others = [{ status: 200, headers: {}, body: JSON.stringify({ id: 'resp_good', status: 'completed', output: [] }) }];
  const holds = await redis.keys(everyHold);
  if (holds.length > 0) await redis.del(...holds);
  const good = await producer.enqueue({ model: 'good', input: 'x' });
  expect(await producer.wait(good.id, { timeoutMs: 10_000 })).toMatchObject({ status: 'completed' });
}, 180_000);
