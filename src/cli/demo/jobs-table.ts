import { styleText } from 'node:util';
import type { JobSummary } from '../../shared/contract/job.ts';
import type { LedgerRow } from '../../shared/contract/ledger.ts';
import { usd, whole } from '../../shared/runtime/format.ts';
import { table } from '../terminal/table.ts';
import type { FrontDoor } from './front-door.ts';
import type { Cancelled } from './scenario.ts';

/** How many characters of an id are shown, so that the table fits into 80 columns. */
const SHORT_ID = 8;

/** The state now: each cancelled job here and at the provider, and how far the others are. */
export async function jobsTable(door: FrontDoor, cancelled: Cancelled[]): Promise<string> {
  const [jobs, rows] = await Promise.all([door.jobs(), door.ledger()]);
  const jobsById = new Map(jobs.map(job => [job.id, job]));
  const rowsByJob = new Map(rows.map(row => [row.job_id, row]));
  const lines = cancelled.map(({ id, when }) => cells(id, when, jobsById.get(id), rowsByJob.get(id)));
  const refused = new Set(cancelled.map(({ id }) => id));
  const others = Map.groupBy(
    jobs.filter(({ id }) => !refused.has(id)),
    job => job.status,
  );
  const counts = [...others].map(([status, some]) => `${some.length} ${status}`);
  return [
    table(['CANCELLED', 'MODEL', 'WHILE', 'HERE', 'PROVIDER', 'TOKENS', 'COST'], lines),
    `The others: ${counts.join(', ') || 'none'}.`,
    '',
  ].join('\n');
}

function cells(id: string, when: string, job: JobSummary | undefined, row: LedgerRow | undefined): string[] {
  const cost = row?.status === 'final' ? usd(row.cost_usd_micros) : '';
  const tokens = row?.status === 'unknown' ? 'unknown' : row?.usage ? whole(row.usage.total_tokens ?? 0) : '';
  return [
    id.slice('resp_'.length).slice(0, SHORT_ID),
    job?.model ?? '',
    when,
    job?.status ?? '',
    atProvider(row),
    tokens,
    cost,
  ];
}

/** The provider's status. It is red if the provider finished a response that was refused here. */
function atProvider(row: LedgerRow | undefined): string {
  if (!row) return 'never asked';
  const status = row.upstream_status ?? 'asked';
  return isFinished(row.upstream_status) && row.kind === 'wasted' ? styleText('red', status) : status;
}

/** True if the provider finished the response, whole or cut short, and charged it. */
export function isFinished(status: string | null): boolean {
  return status === 'completed' || status === 'incomplete';
}
