import { expect, test } from 'vitest';
import { startHarness } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';
import { isShort, report } from './form.ts';

const JOBS = isShort ? 1000 : 10_000;

const outages = {
  'the quota is gone': [
    429,
    { error: { message: 'You exceeded your quota.', type: 'insufficient_quota', code: 'insufficient_quota' } },
  ],
  'the key is wrong': [
    401,
    { error: { message: 'Incorrect API key.', type: 'invalid_request_error', code: 'invalid_api_key' } },
  ],
} as const;

test.for(Object.entries(outages))(
  'I6, I10: %s with thousands of jobs waiting: none fails, few are tried, and all end afterwards',
  {
    timeout: 200_000,
  },
  async ([what, [status, body]]) => {
    let [isAway, refused, made] = [true, 0, 0];
    const upstreamUrl = await startUpstream((call, _body, response) => {
      if (call.method === 'GET') {
        const id = call.url?.split('/').at(-1)?.split('?')[0];
        return answer(response, 200, {
          id,
          object: 'response',
          status: 'completed',
          output: [],
          usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
        });
      }
      if (isAway) {
        refused += 1;
        return answer(response, status, body);
      }
      made += 1;
      answer(response, 200, { id: `resp_${made}`, object: 'response', status: 'queued' });
    });
    // The provider is in this process, and must not be taken for a slow one while ten thousand jobs are at once its and the worker's.
    const env = { HEADSTONE_MAX_IN_FLIGHT: '200', HEADSTONE_LAUNCH_TIMEOUT_MS: '30000' };
    const { producer, happened } = await startHarness({ upstreamUrl, env });
    const jobs = Array.from({ length: JOBS }, (_, n) => ({ request: { model: 'm', input: `Prompt ${n}` } }));
    await producer.enqueueMany(jobs);
    await happened('launches_held');
    await expect
      .poll(async () => (await producer.holds())[0]?.waiting ?? 0, { timeout: 60_000 })
      .toBeGreaterThan(JOBS * 0.9);
    const triedWhileAway = refused;
    isAway = false;
    for (const { scope } of await producer.holds()) await producer.releaseHold(scope);
    await expect
      .poll(async () => (await producer.depths()).jobs, { timeout: 150_000, interval: 500 })
      .toMatchObject({ queued: 0, launching: 0, running: 0 });
    const failed = await producer.list({ status: 'failed' });
    const codes = await Promise.all(failed.map(async ({ id }) => (await producer.get(id))?.outcome?.error?.code));
    expect(codes).toEqual([]);
    report({
      part: 'Upstream',
      what,
      tried: JOBS,
      violations: made - JOBS,
      figures: `${triedWhileAway} creates were refused meanwhile.`,
    });
    expect(made).toBe(JOBS);
    expect(triedWhileAway).toBeLessThan(30);
  },
);
