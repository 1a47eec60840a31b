import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { HeadstoneError } from '../../src/shared/contract/errors.ts';
import { logTelemetry } from '../../src/shared/runtime/logger.ts';
import type { Script } from '../../src/simulator/script.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted, startHarness } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const CANARY = 'canary-7f3a-prompt-and-output';
const KEY = 'sk-canary-key';

const lives: Partial<Script>[] = [
  {},
  { end: 'failed' },
  { end: 'incomplete' },
  { create: 'invalid' },
  { create: 'truncated' },
  { create: 'server_error' },
  { read: 'malformed', read_times: 1 },
  { read: 'html', read_times: 1 },
  { duration_ms: 300, flip_after_ms: 200 },
];

test('I13: no prompt, no output and no key in any line of the log, at the loudest level', async () => {
  const harness = await startHarness({ apiKey: KEY });
  const lines = captureLog(harness);
  await Promise.all(
    lives.map(async (script, position) => {
      const { id } = await harness.producer.enqueue(scripted(script, `${CANARY} ${position}`));
      if (script.flip_after_ms) {
        await harness.happened('launch_acknowledged', fields => fields.job_id === id);
        await harness.producer.cancel(id);
        await harness.happened('tokens_wasted', fields => fields.job_id === id);
      }
      const done = await harness.producer.wait(id);
      // The result contains the canary, so that a leak would be seen.
      if (done.status === 'completed') expect(JSON.stringify(done)).toContain(CANARY);
    }),
  );
  expect(lines.length).toBeGreaterThan(lives.length * 3);
  expect(lines.join('')).not.toContain(CANARY);
  expect(lines.join('')).not.toContain(KEY);
});

test('I13: an upstream that quotes the prompt in its error, its headers and its id does not get it into the log', async () => {
  const upstreamUrl = await startUpstream((_request, body, response) => {
    const quoted = body.includes(CANARY) ? CANARY : 'nothing';
    answer(response, 400, {
      error: { message: `Bad prompt: ${quoted}`, type: 'invalid_request_error', code: 'invalid_prompt' },
    });
  });
  const harness = await startHarness({ upstreamUrl });
  const lines = captureLog(harness);
  const { id } = await harness.producer.enqueue({ model: 'gpt-5.5', input: CANARY });
  const done = await harness.producer.wait(id);
  // The job's owner may read why it failed.
  expect(done).toMatchObject({ status: 'failed', error: { code: 'invalid_prompt', message: `Bad prompt: ${CANARY}` } });
  await harness.happened('job_decided');
  expect(lines.join('')).toContain('launch_refused');
  expect(lines.join('')).not.toContain(CANARY);
});

test('I13: an error about a bad request repeats no value of it', async () => {
  const { producer } = await startHarness({ workers: 0 });
  const error = await producer
    .enqueue({ model: 'gpt-5.5', input: CANARY, metadata: { [CANARY.repeat(9)]: CANARY }, store: CANARY })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(HeadstoneError);
  expect(String((error as Error).stack)).not.toContain('7f3a-prompt');
});

test('I13: a field that an event’s schema does not name never reaches a line', async () => {
  const harness = await startHarness({ workers: 0 });
  const lines = captureLog(harness);
  const smuggled = { job_id: 'a', prompt: CANARY } as unknown as { job_id: string };
  harness.telemetry.emit('job_accepted', smuggled);
  expect(lines.join('')).toContain('"job_id":"a"');
  expect(lines.join('')).not.toContain(CANARY);
});

test('I13: the server logs neither prompt nor key nor cookie, for what it answers, refuses and fails at', async () => {
  const key = 'key-canary-0123456789';
  const door = await startFrontDoor({ apiKeys: [{ name: 'root', key, tenant: 'harbour', admin: true }] });
  const lines = captureLog(door);
  const client = door.clientOf(key);
  const { id } = await client.responses.create({ ...scripted({}, CANARY), background: true });
  await door.happened('job_decided');
  expect((await client.responses.retrieve(id)).output_text).toContain(CANARY);
  const signIn = await fetch(`${door.server.url}/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ key, next: '/jobs' }),
  });
  const cookie = signIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  for (const [path, body] of [
    ['/v1/responses', `{"input":"${CANARY}"`],
    ['/v1/responses', JSON.stringify({ model: 'm', input: [CANARY], background: true })],
    [`/v1/responses/${CANARY}/cancel`, JSON.stringify({ reason: CANARY.repeat(20) })],
    [`/v1/${CANARY}`, '{}'],
  ] as const)
    await fetch(`${door.server.url}${path}?note=${CANARY}`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json' },
      body,
    });
  // A record that cannot be read is reported as an error.
  await door.redis.set(`${door.prefix}:job:${id}`, CANARY);
  await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 500 });
  const log = lines.join('');
  expect(log).toContain('request_failed');
  expect(log).toContain('request_answered');
  for (const secret of [CANARY, key, cookie.split('=')[1] ?? 'no cookie']) expect(log).not.toContain(secret);
});

function captureLog({ telemetry }: Awaited<ReturnType<typeof startHarness>>): string[] {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  logTelemetry(telemetry, 'debug', sink);
  return lines;
}
