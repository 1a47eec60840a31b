import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startChild } from '../../src/cli/processes/children.ts';

const MOST_HOLD_MS = 50;

/** A megabyte of JSON, and how long the machine of the 50 ms takes to read it. These machines drift by a factor of two. */
const reference = JSON.stringify(Array.from({ length: 20_000 }, (_, n) => ({ id: `item_${n}`, type: 'message', n })));
const REFERENCE_MS = 4.5;

/** How much slower this machine is now. */
function slowness(): number {
  const tries = Array.from({ length: 20 }, () => {
    const startedAt = performance.now();
    JSON.parse(reference);
    return performance.now() - startedAt;
  }).sort((left, right) => left - right);
  return Math.max(1, (tries[10] ?? 0) / REFERENCE_MS);
}
const BYTES = 900_000;

/** As many values as fit in a body of nearly the largest allowed size. */
function filled(value: (n: number) => string, wrap: (values: string) => string): string {
  const values: string[] = [];
  for (let bytes = 0; bytes < BYTES; bytes += (values.at(-1)?.length ?? 0) + 1) values.push(value(values.length));
  return wrap(values.join(','));
}

const create = (members: string) => `{"model":"m","background":true,${members}}`;
const text = 'x'.repeat(40);
const bodies: [name: string, status: number, body: string][] = [
  [
    'metadata of 100,000 wrong pairs',
    400,
    filled(
      n => `"k${n}":1`,
      s => create(`"input":"x","metadata":{${s}}`),
    ),
  ],
  [
    '100,000 fields',
    400,
    filled(
      n => `"k${n}":1`,
      s => create(`"input":"x",${s}`),
    ),
  ],
  [
    '100,000 options of Headstone',
    400,
    filled(
      n => `"k${n}":1`,
      s => create(`"input":"x","headstone":{${s}}`),
    ),
  ],
  [
    'tags without end',
    400,
    filled(
      () => '1',
      s => create(`"input":"x","headstone":{"tags":[${s}]}`),
    ),
  ],
  [
    'items that are none',
    400,
    filled(
      () => '1',
      s => create(`"input":[${s}]`),
    ),
  ],
  [
    'as many values as may be, each wrong',
    400,
    filled(
      n => `"k${n}-${text}":1`,
      s => create(`"input":"x","metadata":{${s}}`),
    ),
  ],
  [
    'as many keys as may be',
    200,
    filled(
      n => `"k${n}-${text.repeat(3)}":{}`,
      s => create(`"input":"x","tools":[{"a":{${s}}}]`),
    ),
  ],
  [
    'as many items as may be',
    200,
    filled(
      () => `{"role":"user","content":"${text.repeat(3)}"}`,
      s => create(`"input":[${s}]`),
    ),
  ],
  [
    'more references than may be',
    400,
    filled(
      n => `{"id":"i${n}-${text.repeat(2)}"}`,
      s => create(`"input":[${s}]`),
    ),
  ],
  ['one long text', 200, create(`"input":"${'x'.repeat(BYTES)}"`)],
  ['half characters', 200, create(`"input":"${'\\ud83d'.repeat(BYTES / 6)}"`)],
  ['a hundred thousand levels', 400, create(`"tools":${'['.repeat(BYTES / 2)}${']'.repeat(BYTES / 2)}`)],
];

test('no body holds the server from its other callers for longer than 50 ms, and no answer lists more than ten problems', async () => {
  const child = await startChild(['server', '--port', '0'], {
    env: { REDIS_URL: inject('redisUrl'), HEADSTONE_PREFIX: `{test-${randomUUID().slice(0, 8)}}` },
  });
  onTestFinished(() => child.stop());
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const send = (method: string, path: string, body?: string) =>
    new Promise<{ status: number; bytes: number }>((resolve, reject) => {
      const headers =
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const call = request(new URL(path, child.address), { method, headers, agent }, answer => {
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, bytes }));
      });
      call.on('error', reject).end(body);
    });
  const longestHold = async (work: Promise<unknown>) => {
    let isOver = false;
    void work.finally(() => {
      isOver = true;
    });
    let longest = 0;
    while (!isOver) {
      const startedAt = performance.now();
      await send('GET', '/healthz');
      longest = Math.max(longest, performance.now() - startedAt);
    }
    return longest;
  };
  const before = slowness();
  const holds: Record<string, number> = {};
  for (const [name, status, body] of bodies) {
    // The machine itself may be slow for a moment, so the quickest of three tries tells what the server needs.
    const tries: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      const answered = send('POST', '/v1/responses', body);
      tries.push(await longestHold(answered));
      expect((await answered).status, name).toBe(status);
      if (status === 400) expect((await answered).bytes, name).toBeLessThan(2000);
    }
    holds[name] = Math.round(Math.min(...tries));
  }
  const slow = (slowness() + before) / 2;
  expect(Object.entries(holds).filter(([, ms]) => ms > MOST_HOLD_MS * slow)).toEqual([]);
}, 60_000);
