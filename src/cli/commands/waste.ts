import { Command, Option } from 'commander';
import { type WasteDimension, type WasteSum, wasteDimensionSchema } from '../../shared/contract/ledger.ts';
import { usd } from '../../shared/runtime/format.ts';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { print, printJson, table, withJson } from '../output.ts';

interface WasteFlags extends ClientFlags {
  by: WasteDimension;
  since?: string;
  until?: string;
  tenant?: string;
  json?: boolean;
}

export function wasteCommand(): Command {
  return withJson(
    new Command('waste')
      .description('tokens that were paid for and that nobody saw, beside those that were used')
      .addOption(new Option('--by <dimension>').choices(wasteDimensionSchema.options).default('model'))
      .option('--since <day>', 'UTC, like 2026-11-01; default: the last 30 days')
      .option('--until <day>')
      .option('--tenant <name>')
      .action(async ({ json = false, server, by, ...period }: WasteFlags) => {
        const report = await withClient({ server }, client => client.waste({ groupBy: by, ...period }));
        if (json) for (const sum of [...report.data, report.totals]) printJson(sum);
        else {
          print(wasteTable(by, [...report.data, report.totals]));
          if (by === 'tag') print('A response counts under each of its tags; one without a tag only in the total.');
        }
      }),
    'headstone waste --by cause --since 2026-11-01',
  );
}

export function wasteTable(by: string, sums: WasteSum[]): string {
  // Only waste has a cause and an actor, so beside these there is nothing used to compare with.
  const comparable = by !== 'cause' && by !== 'actor';
  return table(
    [
      by.toUpperCase(),
      'WASTED TOKENS',
      'COST',
      'RESPONSES',
      'PENDING',
      'UNKNOWN',
      ...(comparable ? ['USED TOKENS', 'WASTED %'] : []),
    ],
    sums.map(sum => [
      sum.key || '(none)',
      sum.total_tokens,
      costCell(sum),
      sum.responses,
      sum.pending,
      sum.unknown,
      ...(comparable ? [sum.used_total_tokens, percentage(sum)] : []),
    ]),
  );
}

/** A sum in which some responses have no price is a lower bound, and says so. */
function costCell(sum: WasteSum): string {
  if (sum.unpriced === 0) return usd(sum.cost_usd_micros);
  return sum.unpriced === sum.responses ? 'no price' : `${usd(sum.cost_usd_micros)} + ${sum.unpriced} without price`;
}

function percentage({ total_tokens, used_total_tokens }: WasteSum): number {
  const all = total_tokens + used_total_tokens;
  return all === 0 ? 0 : Math.round((100 * total_tokens) / all);
}
