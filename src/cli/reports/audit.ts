import type { LedgerRow } from '../../shared/contract/ledger.ts';
import { isResult } from '../../shared/contract/words.ts';
import { howRefused } from '../../shared/runtime/outcome-sentence.ts';
import type { SimulatorLedger, SimulatorLedgerRow } from '../../simulator/ledger.ts';
import type { ShownJob } from '../demo/front-door.ts';

export interface Books {
  jobs: ShownJob[];
  rows: LedgerRow[];
  simulator: SimulatorLedger;
}

/** Compares Headstone's ledger with the provider's own, as I1 and I3 promise. Each difference is a sentence. */
export function audit({ jobs, rows, simulator }: Books): string[] {
  const jobsById = new Map(jobs.map(job => [job.id, job]));
  const rowsById = new Map(rows.map(row => [row.response_id, row]));
  const known = new Set(simulator.responses.map(response => response.response_id));
  return [
    ...simulator.responses.flatMap(response => {
      const row = rowsById.get(response.response_id);
      return row ? differences(row, response) : unmatched(response, jobsById);
    }),
    ...rows.filter(row => !known.has(row.response_id)).map(row => `${row.response_id} has a row and never existed`),
    ...jobs.flatMap(job => shownAgainstPromise(job)),
    ...jobs.flatMap(job => misbooked(job, rowsById)),
  ];
}

/** The tokens have to equal what a read has shown. If none has shown any, the row has to say unknown. */
function differences(row: LedgerRow, { response_id, shown }: SimulatorLedgerRow): string[] {
  if (row.status === 'pending') return [`${response_id} is not settled`];
  if (row.kind === null) return [`${response_id} is neither used nor wasted`];
  if (shown === null) return row.status === 'unknown' ? [] : [`${response_id} claims a usage that nobody showed`];
  const same =
    row.usage?.input_tokens === shown.input_tokens &&
    row.usage.output_tokens === shown.output_tokens &&
    row.usage.total_tokens === shown.total_tokens;
  return same
    ? []
    : [`${response_id} has ${row.usage?.total_tokens ?? 'no'} tokens, and ${shown.total_tokens} were shown`];
}

/** A response without a row has to belong to an intent that is reported as unknown. */
function unmatched({ response_id, metadata }: SimulatorLedgerRow, jobs: Map<string, ShownJob>): string[] {
  const [, jobId = '', epoch] = (metadata.headstone ?? '').split('/');
  const launch = jobs.get(jobId)?.launches.find(candidate => candidate.epoch === Number(epoch));
  return launch?.state === 'unknown' ? [] : [`${response_id} has no row, and no intent that is reported unknown`];
}

function shownAgainstPromise(job: ShownJob): string[] {
  const refused = job.status === 'cancelled' || job.status === 'expired';
  return refused && job.response !== null ? [`${job.id} ${howRefused(job.status)}, and shows a result`] : [];
}

function misbooked(job: ShownJob, rows: Map<string, LedgerRow>): string[] {
  const row = job.response_id === null ? undefined : rows.get(job.response_id);
  if (!row || job.outcome === null) return [];
  const expected = isResult(job.status) ? 'used' : 'wasted';
  return row.kind === expected ? [] : [`${row.response_id} of a ${job.status} job is booked as ${row.kind}`];
}
