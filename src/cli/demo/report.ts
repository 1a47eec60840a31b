import type { LedgerRow, WasteReport } from '../../shared/contract/ledger.ts';
import { counted, usd, whole } from '../../shared/runtime/format.ts';
import type { Books } from '../reports/audit.ts';
import { wasteTable } from '../reports/waste-table.ts';
import { print, printProse } from '../terminal/output.ts';
import { table } from '../terminal/table.ts';
import type { ShownJob } from './front-door.ts';
import { isFinished } from './jobs-table.ts';
import type { Cancelled, Played } from './scenario.ts';

export interface Results {
  played: Played;
  books: Books;
  byCause: WasteReport;
  byModel: WasteReport;
  problems: string[];
}

export function printReport({ played, books, byCause, byModel, problems }: Results): void {
  print('\n3  The result\n');
  print(indent(outcomeTable(books, played)));
  print();
  print(indent(wasteTable('cause', byCause.data)));
  print();
  print(indent(wasteTable('model', [...byModel.data, byModel.totals])));
  print();
  const unknown = books.rows.filter(row => row.status === 'unknown').length;
  printProse(
    `  The provider's own books have ${books.simulator.responses.length} responses and the ledger has ${books.rows.length} rows, with ${counted(problems.length, 'difference')}. The provider never showed the usage of ${unknown} of them.`,
  );
  for (const problem of problems) print(`   DIFFERENCE: ${problem}`);
  print();
  printProse(conclusion({ cancelled: played.cancelled, jobs: books.jobs, rows: books.rows, waste: byCause }));
}

function outcomeTable({ jobs: all }: Books, { cancelled }: Played): string {
  const counts = Map.groupBy(all, job => job.status);
  return table(
    ['OUTCOME', 'JOBS', ''],
    [...counts].map(([status, jobs]) => [status, jobs.length, status === 'cancelled' ? whenCancelled(cancelled) : '']),
  );
}

function whenCancelled(cancelled: Played['cancelled']): string {
  const won = cancelled.filter(one => one.won);
  return [...Map.groupBy(won, one => one.when)].map(([when, some]) => `${some.length} while ${when}`).join(', ');
}

export interface Ended {
  cancelled: Cancelled[];
  jobs: ShownJob[];
  rows: LedgerRow[];
  waste: WasteReport;
}

export function conclusion({ cancelled, jobs, rows, waste: { totals } }: Ended): string {
  const won = cancelled.filter(({ won: hasWon }) => hasWon);
  const finishedAnyway = rows.filter(
    ({ cause, upstream_status: status }) => cause === 'cancelled' && isFinished(status),
  ).length;
  const seen = jobs.filter(job => job.status === 'cancelled' && job.response !== null).length;
  const open = [
    ...(totals.unpriced > 0 ? [`the price of ${whole(totals.unpriced)}`] : []),
    ...(totals.unknown > 0 ? [`the usage of ${whole(totals.unknown)}`] : []),
  ];
  const charged = usd(totals.cost_usd_micros);
  const bill = open.length > 0 ? `${charged} or more (not known: ${open.join(' and ')})` : charged;
  const late = cancelled.length - won.length;
  const tooLate = late > 0 ? ` ${counted(late, 'cancel')} came too late.` : '';
  return `You cancelled ${counted(won.length, 'job')}.${tooLate} The provider finished ${finishedAnyway} of them anyway and charged ${bill}. ${seen === 0 ? 'Nobody saw their results' : `${seen} RESULTS WERE SEEN`}.`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
