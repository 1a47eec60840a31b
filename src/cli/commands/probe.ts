import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError } from 'commander';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import { span, usd } from '../../shared/runtime/format.ts';
import { mostOf } from '../../shared/runtime/most.ts';
import { price } from '../../shared/runtime/prices.ts';
import type { PriceSettings } from '../../shared/runtime/settings.ts';
import { print, printJson, table, withJson } from '../output.ts';
import { parseCount, parseDuration } from '../parse.ts';
import { Provider } from '../probe/provider.ts';
import { type Trial, tryCancel } from '../probe/try-cancel.ts';
import { requireKey } from '../require-key.ts';

interface ProbeFlags {
  model: string;
  n: number;
  maxUsd: number;
  window: number;
  yes?: boolean;
  json?: boolean;
}

/** Small, and long enough to be cancelled in the middle. */
const PROMPT = 'Write the numbers from one to one hundred in words, one a line.';
const MOST_OUTPUT_TOKENS = 600;
/** After the create; the last ones meet a response that is well under way. */
const cancelMomentsMs = [0, 250, 500, 1000, 2000, 3000, 5000];

export function probeCommand(): Command {
  return withJson(
    new Command('probe')
      .description('tries on your own account how your provider takes a cancel; it costs a little, and says so first')
      .requiredOption('--model <name>', 'the model, or on Azure the deployment')
      .option('--n <count>', 'responses to create and cancel', parseCount, 5)
      .option('--max-usd <dollars>', 'what it may cost at the most', parseUsd, 0.1)
      .option('--window <duration>', 'how long each one is watched after its cancel', parseDuration, 600_000)
      .option('--yes', 'do not ask')
      .action(async (flags: ProbeFlags) => {
        const { configuration, warnings } = loadConfiguration(process.env);
        for (const warning of warnings) process.stderr.write(`${warning}\n`);
        requireKey(configuration, 'point OPENAI_BASE_URL at a simulator and give it any key');
        const request = {
          model: flags.model,
          input: PROMPT,
          max_output_tokens: MOST_OUTPUT_TOKENS,
          background: true,
          store: true,
        };
        const mostUsd = worstCaseUsd(request, flags, configuration.prices);
        process.stderr.write(
          `${flags.n} responses of at most ${MOST_OUTPUT_TOKENS} tokens on ${flags.model}, each watched for ${span(flags.window)}: this can cost up to $${mostUsd.toFixed(4)}.\n`,
        );
        if (!flags.yes && !(await isConfirmed())) return;
        const provider = new Provider(configuration);
        const trials = await Promise.all(
          Array.from({ length: flags.n }, (_, number) =>
            tryCancel(provider, request, {
              cancelAfterMs: cancelMomentsMs[number % cancelMomentsMs.length] ?? 0,
              windowMs: flags.window,
            }),
          ),
        );
        tell(trials, flags, configuration.prices);
      }),
    'OPENAI_API_KEY=sk-… headstone probe --model gpt-5-mini --n 5 --max-usd 0.10',
  );
}

function parseUsd(text: string): number {
  const dollars = Number(text);
  if (!(dollars > 0)) throw new InvalidArgumentError('It must be an amount in dollars, like 0.10.');
  return dollars;
}

/** Throws where the limit could be passed, or where nobody knows the price. */
function worstCaseUsd(request: object, { n, maxUsd, model }: ProbeFlags, prices: PriceSettings): number {
  const most = mostOf(JSON.stringify(request), prices);
  if (most?.cost_usd_micros === undefined)
    throw new HeadstoneError(
      'invalid_request',
      `The price of ${model} is not known, so nobody can say what this costs: set it in HEADSTONE_PRICES (models, or deployments).`,
    );
  const mostUsd = (n * most.cost_usd_micros) / 1_000_000;
  if (mostUsd > maxUsd)
    throw new HeadstoneError(
      'invalid_request',
      `This could cost up to $${mostUsd.toFixed(4)}, more than --max-usd ${maxUsd}: take a smaller --n, a cheaper --model, or raise it.`,
    );
  return mostUsd;
}

async function isConfirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new HeadstoneError('invalid_request', 'Nobody is here to agree to that: add --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question('Go on? [y/N] ')).trim());
  } finally {
    terminal.close();
  }
}

function tell(trials: Trial[], { model, json }: ProbeFlags, prices: PriceSettings): void {
  const costOf = ({ usage }: Trial) =>
    usage && price({ model, servedModel: null, serviceTier: null, usage }, prices).costUsdMicros;
  const taken = trials.filter(trial => trial.cancel_status === 'cancelled');
  const back = taken.filter(trial => trial.came_back_after_ms !== null);
  const summary = {
    model,
    responses: trials.length,
    cancelled: taken.length,
    stayed_cancelled: taken.length - back.length,
    came_back: back.length,
    came_back_after_ms: back.map(trial => trial.came_back_after_ms),
    billed_tokens: trials.reduce((sum, { usage }) => sum + (usage?.total_tokens ?? 0), 0),
    billed_usd_micros: trials.reduce((sum, trial) => sum + (costOf(trial) ?? 0), 0),
  };
  if (json) {
    for (const trial of trials) printJson(trial);
    printJson({ summary });
    return;
  }
  print(
    table(
      ['CANCELLED AFTER', 'CREATE', 'CANCEL', 'IT SAID', 'THEN', 'CAME BACK AFTER', 'TOKENS', 'COST'],
      trials.map(trial => [
        span(trial.cancel_after_ms),
        trial.create_http,
        trial.cancel_http ?? '–',
        trial.cancel_status ?? '–',
        trial.statuses.join(' → ') || '–',
        trial.came_back_after_ms === null ? 'never' : span(trial.came_back_after_ms),
        trial.usage?.total_tokens ?? 'none shown',
        trial.usage ? usd(costOf(trial)) : '–',
      ]),
    ),
  );
  print(
    `\n${taken.length} of ${trials.length} were cancelled by the provider's word; ${summary.stayed_cancelled} stayed so, ${back.length} came back. ${summary.billed_tokens} tokens were charged, ${usd(summary.billed_usd_micros)}.`,
  );
}
