import { Command } from 'commander';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import { demoLive, type LivePlan } from '../demo/live.ts';
import { demoSimulated } from '../demo/simulated.ts';
import { withExamples } from '../output.ts';
import { durationOption, parseCount } from '../parse.ts';
import { parseUsd } from '../probe/spending.ts';

interface DemoFlags extends LivePlan {
  live?: boolean;
}

export function demoCommand(): Command {
  return withExamples(
    new Command('demo')
      .description('shows the problem and the answer, against a simulated provider; ends by itself')
      .option('--live', 'with your own provider instead: spends real money, and says how much at the most')
      .option('--model <name>', 'with --live: the model, or on Azure the deployment', 'gpt-5-mini')
      .option('--n <count>', 'with --live: responses to cancel, without Headstone and with it', parseCount, 3)
      .option('--max-usd <dollars>', 'with --live: what it may cost at the most', parseUsd, 0.1)
      .addOption(durationOption('--window <duration>', 'with --live: how long each is watched after its cancel', '3m'))
      .option('--yes', 'with --live: do not ask')
      .action(async ({ live = false, ...plan }: DemoFlags, command: Command) => {
        const { configuration, warnings } = loadConfiguration(process.env);
        for (const warning of warnings) process.stderr.write(`${warning}\n`);
        const isLive = live || configuration.live;
        if (!isLive) refuseLiveFlags(command);
        if (isLive) await demoLive(plan, configuration);
        else await demoSimulated();
      }),
    'headstone demo',
    'OPENAI_API_KEY=sk-… headstone demo --live --max-usd 0.05',
  );
}

/** A person who says how much to spend does not mean the simulator. */
function refuseLiveFlags(command: Command): void {
  const given = command.options.filter(option => command.getOptionValueSource(option.attributeName()) === 'cli');
  if (given.length > 0)
    throw new HeadstoneError('invalid_request', `${given.map(({ long }) => long).join(', ')}: only with --live.`);
}
