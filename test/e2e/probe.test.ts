import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { SimulatorLedger } from '../../src/simulator/ledger.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { runFile } from '../../tools/run-file.ts';
import { startCommand } from '../support/cli.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

const probe = (...args: string[]) => spend('probe', ...args);

/** Settings for a provider's account, which is the simulator's here. */
async function spend(...args: string[]) {
  const simulator = await startSimulator({ port: 0 });
  onTestFinished(() => simulator.close());
  const env = { OPENAI_BASE_URL: simulator.url, OPENAI_API_KEY: 'any', REDIS_URL: '' };
  const ran = await runFile(main, args, { quiet: true, env });
  const ledger = (await (await fetch(new URL('/sim/ledger', simulator.url))).json()) as {
    creates: number;
    responses: { billed: { total_tokens: number } | null; cancels: number }[];
  };
  return { ...ran, ledger };
}

test('probe: says what it may cost, cancels, watches, and tells what came back and what was billed', async () => {
  const args = ['--model', 'gpt-5-mini', '--n', '3', '--max-usd', '0.10', '--window', '15s', '--yes', '--json'];
  const { code, output, ledger } = await probe(...args);
  expect(code).toBe(0);
  const most = Number(/3 responses of at most 600 tokens on gpt-5-mini.*up to \$(0\.\d{4})/.exec(output)?.[1]);
  const lines = output.split('\n').filter(line => line.startsWith('{'));
  const { summary } = JSON.parse(lines.at(-1) ?? '') as { summary: Record<string, number> };
  const billed = ledger.responses.reduce((sum, one) => sum + (one.billed?.total_tokens ?? 0), 0);
  expect(summary).toMatchObject({
    responses: 3,
    cancelled: 3,
    came_back: 3,
    stayed_cancelled: 0,
    billed_tokens: billed,
  });
  expect(summary.billed_usd_micros).toBeLessThanOrEqual(most * 1_000_000);
  expect(ledger.responses.map(({ cancels }) => cancels)).toEqual([1, 1, 1]);
});

test('probe: never passes --max-usd, and starts nothing where the price is unknown or nobody agrees', async () => {
  for (const [args, sentence] of [
    [['--model', 'gpt-5.5', '--n', '50', '--yes'], 'more than --max-usd'],
    [['--model', 'acme-deployment', '--yes'], 'HEADSTONE_PRICES'],
    [['--model', 'gpt-5-mini'], 'Add --yes'],
  ] as const) {
    const { code, output, ledger } = await probe(...args);
    expect(code).toBe(2);
    expect(output).toContain(sentence);
    expect(ledger.creates).toBe(0);
  }
});

test('probe: tells what codes and bodies the provider answered with', async () => {
  let creates = 0;
  const url = await startUpstream((call, _body, response) => {
    const id = call.url?.split('/')[3] ?? '';
    const done = { status: 'completed', output: [{}], usage: { input_tokens: 5, output_tokens: 7, total_tokens: 12 } };
    const error = (message: string, code: string | null) => ({
      error: { message, code, type: 'invalid_request_error' },
    });
    if (call.url?.endsWith('/cancel'))
      return id === 'resp_1'
        ? answer(response, 400, error('Cannot cancel a completed response.', null))
        : answer(response, 200, { id, status: 'cancelled', output: [], usage: null });
    if (call.method === 'GET') return answer(response, 200, { id, ...done });
    creates += 1;
    return creates === 3
      ? answer(response, 429, error('Too many requests', 'rate_limit_exceeded'))
      : answer(response, 200, { id: `resp_${creates}`, status: 'queued', output: [], usage: null });
  });
  const env = { OPENAI_BASE_URL: url, OPENAI_API_KEY: 'any' };
  const args = ['probe', '--model', 'gpt-5-mini', '--n', '3', '--window', '2s', '--yes'];
  const { output } = await runFile(main, [...args, '--json'], { quiet: true, env });
  const lines = output.split('\n').filter(line => line.startsWith('{'));
  const [tooLate, cameBack, refused, last] = lines.map(line => JSON.parse(line));
  expect(tooLate).toMatchObject({
    response_id: 'resp_1',
    cancel: { http: 400, error: { message: 'Cannot cancel a completed response.' } },
    came_back_after_ms: null,
  });
  expect(cameBack).toMatchObject({
    cancel: { http: 200, status: 'cancelled', has_usage: false, output_items: 0 },
    reads: [{ http: 200, status: 'completed', has_usage: true, output_items: 1 }],
    came_back_after_ms: expect.any(Number),
  });
  expect(refused).toMatchObject({ response_id: null, create: { http: 429, error: { code: 'rate_limit_exceeded' } } });
  expect(last.summary).toMatchObject({ created: 2, cancelled: 1, came_back: 1, billed_tokens: 24 });

  creates = 0;
  const shown = (await runFile(main, args, { quiet: true, env })).output;
  expect(shown).toMatch(/500 ms +429 rate_limit_exceeded +–/);
  expect(shown).toMatch(/cancel +400 +– +null +none +1 +Cannot cancel a completed response\./);
  expect(shown).toMatch(/read +200 +completed +given +some +2/);
});

test('probe: says what it does not know: a create without a certain end, a response that was not seen again', async () => {
  let creates = 0;
  const url = await startUpstream((call, _body, response) => {
    const id = call.url?.split('/')[3] ?? '';
    if (call.url?.endsWith('/cancel'))
      return answer(response, 200, { id, status: 'cancelled', output: [], usage: null });
    if (call.method === 'GET')
      return answer(response, 404, { error: { message: 'Not found.', type: 'x', code: null } });
    creates += 1;
    return creates === 1
      ? answer(response, 200, { id: 'resp_1', status: 'queued', output: [], usage: null })
      : answer(response, creates === 2 ? 500 : 401, { error: { message: 'No.', type: 'x', code: null } });
  });
  const env = { OPENAI_BASE_URL: url, OPENAI_API_KEY: 'any' };
  const args = ['probe', '--model', 'gpt-5-mini', '--n', '3', '--window', '1s', '--yes'];
  const { code, output } = await runFile(main, args, { quiet: true, env });
  expect(output).toContain(
    'The provider said that it cancelled 1 of 3. 0 stayed cancelled, 0 came back, 1 were not seen again.',
  );
  expect(output).toContain('1 create may or may not have run');
  expect(code).toBe(0);
  const none = await runFile(main, args, { quiet: true, env });
  expect(none.code).toBe(1);
});

test('probe: Ctrl-C ends the watching, cancels what is left, and says what is not known', async () => {
  const simulator = await startSimulator({ port: 0 });
  onTestFinished(() => simulator.close());
  const env = { OPENAI_BASE_URL: simulator.url, OPENAI_API_KEY: 'any', REDIS_URL: '' };
  const command = startCommand(['probe', '--model', 'gpt-5-mini', '--n', '4', '--yes'], env);
  const ledger = async () => (await (await fetch(new URL('/sim/ledger', simulator.url))).json()) as SimulatorLedger;
  await expect.poll(async () => (await ledger()).responses.length, { timeout: 10_000, interval: 10 }).toBe(4);
  command.kill('SIGINT');
  expect(await command.ended).toBe(130);
  expect(command.stderr()).toContain('Watching was stopped early');
  expect((await ledger()).responses.map(({ cancels }) => cancels)).toEqual([1, 1, 1, 1]);
});

test('demo --live: says what it costs, shows the problem and the answer at the real provider, and ends', {
  timeout: 90_000,
}, async () => {
  const { code, output, ledger } = await spend('demo', '--live', '--n', '2', '--window', '10s', '--yes');
  expect(output).toMatch(
    /LIVE: 4 responses of at most 600 tokens.*are billed to your key\. This can cost up to \$0\.\d{4}/,
  );
  expect(output).toContain('The provider said that it cancelled 2 of 2. 0 stayed cancelled, 2 came back.');
  expect(output).toMatch(
    /You cancelled 2 jobs\. The provider finished 2 of them anyway and charged \$0\.\d+\. Nobody saw their results\./,
  );
  expect(code).toBe(0);
  expect(ledger.creates).toBe(4);
});

test('demo --live: a provider that takes nothing is said to take nothing, and there is no second act', async () => {
  const url = await startUpstream((_request, _body, response) =>
    answer(response, 401, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key', type: 'x' } }),
  );
  const env = { OPENAI_BASE_URL: url, OPENAI_API_KEY: 'wrong', REDIS_URL: '' };
  const { code, output } = await runFile(main, ['demo', '--live', '--n', '2', '--yes'], { quiet: true, env });
  expect(output).toContain('Your provider took none of them');
  expect(output).toMatch(/0 ms +401/);
  expect(code).toBe(1);
});

test('demo: how much to spend is nothing to say to the simulator', async () => {
  const { code, output } = await runFile(main, ['demo', '--n', '5', '--yes'], {
    quiet: true,
    env: { HEADSTONE_LIVE: '' },
  });
  expect(output).toContain('--n, --yes can be used only with --live.');
  expect(code).toBe(2);
});

test('demo --live: starts nothing where nobody agrees, and HEADSTONE_LIVE=1 means it too', async () => {
  for (const [args, env] of [
    [['demo', '--live'], {}],
    [['demo'], { HEADSTONE_LIVE: '1' }],
  ] as const) {
    const { code, output } = await runFile(main, [...args], {
      quiet: true,
      env: { OPENAI_API_KEY: 'any', OPENAI_BASE_URL: 'http://127.0.0.1:59998/v1', ...env },
    });
    expect(output).toContain('Add --yes');
    expect(code).toBe(2);
  }
});

test('demo --live: Ctrl-C in the second act cancels at the provider what Headstone had launched there', {
  timeout: 90_000,
}, async () => {
  const simulator = await startSimulator({ port: 0 });
  onTestFinished(() => simulator.close());
  // The demo itself cancels each of them only after a long run.
  const env = { OPENAI_BASE_URL: simulator.url, OPENAI_API_KEY: 'any', REDIS_URL: '' };
  const command = startCommand(['demo', '--live', '--n', '7', '--window', '1s', '--max-usd', '1', '--yes'], env);
  const ledger = async () => (await (await fetch(new URL('/sim/ledger', simulator.url))).json()) as SimulatorLedger;
  await expect.poll(async () => (await ledger()).responses.length, { timeout: 60_000, interval: 20 }).toBe(14);
  command.kill('SIGINT');
  expect(await command.ended).toBe(130);
  expect(command.stderr()).toContain('Cancelling what still runs at your provider');
  const { responses } = await ledger();
  expect(responses.filter(({ cancels, status }) => cancels === 0 && status !== 'completed')).toEqual([]);
});
