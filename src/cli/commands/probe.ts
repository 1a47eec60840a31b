import { Command } from 'commander';
import { loadConfiguration } from '../../shared/runtime/configuration.ts';
import { counted, span } from '../../shared/runtime/format.ts';
import type { TrialPlan } from '../probe/run-trials.ts';
import { requireKey } from '../processes/require-key.ts';
import { exitCodes } from '../terminal/exit-codes.ts';
import { print, printJson, printProse, withJson } from '../terminal/output.ts';
import { durationOption, parseCount, parseUsd } from '../terminal/parse.ts';

interface ProbeFlags extends TrialPlan {
  maxUsd: number;
  yes?: boolean;
  json?: boolean;
}

export function probeCommand(): Command {
  return withJson(
    new Command('probe')
      .requiredOption('--model <name>', 'the model, or on Azure the deployment')
      .option('--n <count>', 'how many responses to create and cancel', parseCount, 5)
      .option('--max-usd <dollars>', 'the most that it may cost', parseUsd, 0.1)
      .addOption(durationOption('--window <duration>', 'how long each response is watched after its cancel', '10m'))
      .option('--yes', 'do not ask for confirmation')
      .action(async (flags: ProbeFlags) => {
        const { model, n, maxUsd, window } = flags;
        const { configuration, warnings } = loadConfiguration(process.env);
        for (const warning of warnings) process.stderr.write(`${warning}\n`);
        requireKey(configuration, 'point OPENAI_BASE_URL at a simulator and use any key');
        const { agreesToSpend, MOST_OUTPUT_TOKENS, worstCaseUsd } = await import('../probe/spending.ts');
        const { runTrials } = await import('../probe/run-trials.ts');
        const { answerTable, summaryOf, trialSentence } = await import('../probe/report.ts');
        const { prices } = configuration;
        const mostUsd = worstCaseUsd(model, n, maxUsd, configuration);
        process.stderr.write(
          `${counted(n, 'response')} of at most ${MOST_OUTPUT_TOKENS} tokens on ${model}, each watched for ${span(window)}. This can cost up to $${mostUsd.toFixed(4)}.\n`,
        );
        if (!(await agreesToSpend(flags))) return print('Nothing was sent.');
        const { trials, isWhole } = await runTrials(flags, configuration, flags.json);
        const summary = summaryOf(trials, model, prices);
        if (summary.created === 0) process.exitCode ??= exitCodes.failed;
        if (flags.json) for (const line of [...trials, { summary }]) printJson(line);
        else {
          print(`\n${answerTable(trials)}\n`);
          printProse(trialSentence(summary, isWhole));
        }
      }),
    'OPENAI_API_KEY=sk-… headstone probe --model gpt-5-mini --n 5 --max-usd 0.10',
  );
}
