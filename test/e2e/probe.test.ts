import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { runFile } from '../../tools/run-file.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

async function probe(...args: string[]) {
  const simulator = await startSimulator({ port: 0 });
  onTestFinished(() => simulator.close());
  const env = { OPENAI_BASE_URL: simulator.url, OPENAI_API_KEY: 'any' };
  const ran = await runFile(main, ['probe', ...args], { quiet: true, env });
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
  expect(output).toMatch(/3 responses of at most 600 tokens on gpt-5-mini.*up to \$0\.\d{4}/);
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
  expect(ledger.responses.map(({ cancels }) => cancels)).toEqual([1, 1, 1]);
});

test('probe: never passes --max-usd, and starts nothing where the price is unknown or nobody agrees', async () => {
  for (const [args, sentence] of [
    [['--model', 'gpt-5.5', '--n', '50', '--yes'], 'more than --max-usd'],
    [['--model', 'acme-deployment', '--yes'], 'HEADSTONE_PRICES'],
    [['--model', 'gpt-5-mini'], 'add --yes'],
  ] as const) {
    const { code, output, ledger } = await probe(...args);
    expect(code).toBe(2);
    expect(output).toContain(sentence);
    expect(ledger.creates).toBe(0);
  }
});
