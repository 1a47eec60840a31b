import { Command } from 'commander';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import type { LivePlan } from '../demo/live.ts';
import { withExamples } from '../terminal/output.ts';
import { durationOption, parseCount, parseUsd } from '../terminal/parse.ts';

interface DemoFlags extends LivePlan {
  live?: boolean;
}

export function demoCommand(): Command {
  return withExamples(
    new Command('demo')
      .option('--live', 'use your own provider; it says what this may cost, and asks first')
      .option('--model <name>', 'with --live: the model, or on Azure the deployment', 'gpt-5-mini')
      .option('--n <count>', 'with --live: responses to cancel, without Headstone and with it', parseCount, 3)
      .option('--max-usd <dollars>', 'with --live: the most that it may cost', parseUsd, 0.1)
      .addOption(
        durationOption('--window <duration>', 'with --live: how long each response is watched after its cancel', '3m'),
      )
      .option('--yes', 'with --live: do not ask for confirmation')
      .action(async ({ live = false, ...plan }: DemoFlags, command: Command) => {
        const { configuration, warnings } = loadConfiguration(process.env);
        for (const warning of warnings) process.stderr.write(`${warning}\n`);
        const isLive = live || configuration.live;
        if (!isLive) refuseLiveFlags(command);
        if (isLive) await (await import('../demo/live.ts')).demoLive(plan, configuration);
        else await (await import('../demo/simulated.ts')).demoSimulated();
      }),
    'headstone demo',
    'OPENAI_API_KEY=sk-… headstone demo --live --max-usd 0.05',
  );
}

/** Throws `invalid_request` if a flag for --live was given without it. */
function refuseLiveFlags(command: Command): void {
  const given = command.options.filter(option => command.getOptionValueSource(option.attributeName()) === 'cli');
  if (given.length > 0)
    throw new HeadstoneError(
      'invalid_request',
      `${given.map(({ long }) => long).join(', ')} can be used only with --live.`,
    );
}
