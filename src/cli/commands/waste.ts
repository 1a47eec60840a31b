import { Command, Option } from 'commander';
import { type WasteDimension, wasteDimensionSchema } from '../../shared/contract/ledger.ts';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { wasteTable } from '../reports/waste-table.ts';
import { print, printJson, withJson } from '../terminal/output.ts';

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
      .addOption(
        new Option('--by <dimension>', 'what to group by').choices(wasteDimensionSchema.options).default('model'),
      )
      .option('--since <day>', 'first day in UTC, like 2026-11-01; default: the last 30 days')
      .option('--until <day>', 'last day in UTC')
      .option('--tenant <name>', 'only responses of this tenant')
      .action(async ({ json = false, server, by, ...period }: WasteFlags) => {
        const report = await withClient({ server }, client => client.waste({ groupBy: by, ...period }));
        if (json) for (const sum of [...report.data, report.totals]) printJson(sum);
        else {
          print(wasteTable(by, [...report.data, report.totals]));
          if (by === 'tag')
            print('A response counts under each of its tags. One without a tag counts only in the total.');
        }
      }),
    'headstone waste --by cause --since 2026-11-01',
  );
}
