import { Command, InvalidArgumentError, Option } from 'commander';
import { stringify } from 'csv-stringify/sync';
import { daySchema } from '../../shared/contract/days.ts';
import type { LedgerRow } from '../../shared/contract/ledger.ts';
import { age, usd } from '../../shared/runtime/format.ts';
import { expectedCost } from '../../shared/runtime/spent.ts';
import { type ClientFlags, withClient } from '../client/with-client.ts';
import { notesOn } from '../reports/waste-table.ts';
import { print, printJson, shortId, withExamples } from '../terminal/output.ts';
import { table } from '../terminal/table.ts';

interface LedgerFlags extends ClientFlags {
  since?: string;
  until?: string;
  tenant?: string;
  format?: 'json' | 'csv' | 'table';
}

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
  ['cancellation', row => row.cancellation],
  ['status', row => row.status],
  ['input_tokens', row => row.usage?.input_tokens],
  ['output_tokens', row => row.usage?.output_tokens],
  ['total_tokens', row => row.usage?.total_tokens],
  ['cost_usd_micros', row => row.cost_usd_micros],
  ['late_by_ms', row => row.late_by_ms],
  ['likely_tokens', row => row.likely_tokens],
  ['likely_cost_usd_micros', row => row.likely_cost_usd_micros],
  ['most_tokens', row => row.most_tokens],
  ['most_cost_usd_micros', row => row.most_cost_usd_micros],
];

export function ledgerCommand(): Command {
  return withExamples(
    new Command('ledger')
      .option('--since <day>', 'first day in UTC, like 2026-11-01', parseDay)
      .option('--until <day>', 'last day in UTC', parseDay)
      .option('--tenant <name>', 'only rows of this tenant')
      .addOption(
        new Option('--format <format>', 'how to print the rows; default: a table at a terminal, else json').choices([
          'table',
          'json',
          'csv',
        ]),
      )
      .option('--json', 'same as --format json')
      .action(async ({ json, server, since, until, tenant, ...flags }: LedgerFlags & { json?: boolean }) => {
        const format = flags.format ?? (json || !process.stdout.isTTY ? 'json' : 'table');
        if (format === 'csv') printCsv([columns.map(([name]) => name)]);
        await withClient({ server }, async client => {
          let after: string | undefined;
          for (;;) {
            const rows = await client.ledger({ since, until, tenant, after, limit: PAGE });
            if (format === 'table') print(rowsTable(rows));
            else if (format === 'csv') printCsv(rows.map(row => columns.map(([, read]) => read(row))));
            else for (const row of rows) printJson(row);
            after = rows.at(-1)?.response_id;
            if (rows.length < PAGE) return;
          }
        });
      }),
    'headstone ledger --since 2026-11-01 --format csv > november.csv',
  );
}

/** An id is shortened last, and what it was booked as and what it cost are not shortened, however narrow the terminal is. */
const JOB = 0;
const BOOKED_AS = 3;
const COST = 5;

function rowsTable(rows: LedgerRow[]): string {
  if (rows.length === 0) return 'No rows.';
  const ofSeveral = new Set(rows.map(({ tenant }) => tenant)).size > 1;
  const lines = table(
    ['JOB', 'AGE', 'MODEL', 'BOOKED AS', 'TOKENS', 'COST', ...(ofSeveral ? ['TENANT'] : []), 'REASON'],
    rows.map(row => [
      shortId(row.job_id),
      age(Math.max(0, Date.now() - row.at)),
      row.model,
      row.kind === 'wasted' ? `wasted (${row.cause})` : (row.kind ?? 'not yet'),
      row.usage?.total_tokens ?? row.status,
      row.usage === null ? inMarks(expectedCost([row])) : usd(row.cost_usd_micros),
      ...(ofSeveral ? [row.tenant] : []),
      [row.actor, row.reason].filter(Boolean).join(': '),
    ]),
    { kept: [BOOKED_AS, COST], shortenedLast: [JOB] },
  );
  return [lines, ...notesOn(lines)].join('\n');
}

/** In as few places as it takes. `notesOn` says below the table what the marks mean. */
function inMarks(expected: string): string {
  return expected.replace('about ', '~').replace('at most ', '≤');
}

/** Escapes formulas, so that a spreadsheet does not run somebody's reason. */
function printCsv(lines: (string | number | null | undefined)[][]): void {
  process.stdout.write(stringify(lines, { escape_formulas: true }));
}

function parseDay(text: string): string {
  if (!daySchema.safeParse(text).success) throw new InvalidArgumentError('It must be a day like 2026-11-21.');
  return text;
}
