import { Command, Option } from 'commander';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import { daySchema, type LedgerRow } from '../../shared/contract/ledger.ts';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { print, printJson, withExamples } from '../output.ts';

interface LedgerFlags extends ClientFlags {
  since?: string;
  until?: string;
  tenant?: string;
  format: 'json' | 'csv';
}

const DAY_MS = 86_400_000;
const PAGE = 1000;

const columns: [string, (row: LedgerRow) => string | number | null | undefined][] = [
  ['response_id', row => row.response_id],
  ['job_id', row => row.job_id],
  ['at', row => new Date(row.at).toISOString()],
  ['model', row => row.model],
  ['tenant', row => row.tenant],
  ['tags', row => row.tags.join(' ')],
  ['kind', row => row.kind],
  ['cause', row => row.cause],
  ['reason', row => row.reason],
  ['actor', row => row.actor],
  ['status', row => row.status],
  ['input_tokens', row => row.usage?.input_tokens],
  ['output_tokens', row => row.usage?.output_tokens],
  ['total_tokens', row => row.usage?.total_tokens],
  ['cost_usd_micros', row => row.cost_usd_micros],
  ['late_by_ms', row => row.late_by_ms],
];

export function ledgerCommand(): Command {
  return withExamples(
    new Command('ledger')
      .description('the rows: one a response, the oldest first')
      .option('--since <day>', 'UTC, like 2026-11-01')
      .option('--until <day>', 'this day included')
      .option('--tenant <name>', 'only of this tenant')
      .addOption(new Option('--format <format>').choices(['json', 'csv']).default('json'))
      .option('--json', 'the same as --format json')
      .action(async ({ since, until, tenant, format, server }: LedgerFlags) => {
        if (format === 'csv') print(columns.map(([name]) => name).join(','));
        await withClient({ server }, async client => {
          let after: string | undefined;
          for (;;) {
            const rows = await client.ledger({
              limit: PAGE,
              ...(since === undefined ? {} : { sinceMs: startOf(since) }),
              ...(until === undefined ? {} : { untilMs: startOf(until) + DAY_MS - 1 }),
              ...(tenant === undefined ? {} : { tenant }),
              ...(after === undefined ? {} : { after }),
            });
            for (const row of rows) {
              if (format === 'csv') print(columns.map(([, read]) => cell(read(row))).join(','));
              else printJson(row);
            }
            after = rows.at(-1)?.response_id;
            if (rows.length < PAGE) return;
          }
        });
      }),
    'headstone ledger --since 2026-11-01 --format csv > november.csv',
  );
}

function startOf(day: string): number {
  if (!daySchema.safeParse(day).success)
    throw new HeadstoneError('invalid_request', `"${day}" is no day: write it like 2026-11-21.`);
  return Date.parse(day);
}

/** RFC 4180; and a spreadsheet must not take somebody's reason for a formula. */
function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
