import { html } from 'ghtml';
import type { Job } from '../../../shared/contract/job.ts';
import type { LedgerRow } from '../../../shared/contract/ledger.ts';
import { span, usd, whole } from '../../../shared/runtime/format.ts';
import { expectedCost, expectedTokens } from '../../../shared/runtime/spent.ts';
import { copyButton, shortId, table } from '../parts.ts';

/** What each response of a job cost. */
export function ledgerTable({ ledger }: Job): string {
  if (ledger.length === 0) return '';
  return table(
    'The responses of this job',
    [
      { name: 'Response' },
      { name: 'Booked as' },
      { name: 'At the provider' },
      { name: 'Input tokens', numeric: true },
      { name: 'Output tokens', numeric: true },
      { name: 'All tokens', numeric: true },
      { name: 'Cost', numeric: true },
      { name: 'Known after its end', numeric: true },
    ],
    ledger.map(row => [
      html`<code title="${row.response_id}">${shortId(row.response_id)}</code>!${copyButton(row.response_id, 'the response’s id')}`,
      booking(row),
      // While the job is open, the row has what the answer to the create said.
      row.kind === null ? '–' : html`${row.upstream_status ?? '–'}`,
      tokens(row, 'input_tokens'),
      tokens(row, 'output_tokens'),
      tokens(row, 'total_tokens'),
      row.usage === null ? guess(row, expectedCost([row])) : html`${usd(row.cost_usd_micros)}`,
      row.late_by_ms === null ? '–' : html`${span(row.late_by_ms)}`,
    ]),
  );
}

function booking({ kind, cause, status }: LedgerRow): string {
  if (kind === null) return 'not booked yet';
  const what = kind === 'wasted' ? `wasted (${cause})` : kind;
  return html`<span class="${kind}">${what}</span>!${status === 'final' ? '' : html` <small>${status}</small>`}`;
}

function tokens(row: LedgerRow, part: 'input_tokens' | 'output_tokens' | 'total_tokens'): string {
  if (row.usage) return html`${whole(row.usage[part])}`;
  return part === 'total_tokens' ? guess(row, expectedTokens([row])) : '–';
}

/** What stands in for a figure that nobody has shown. */
function guess({ status }: LedgerRow, expected: string): string {
  return status === 'final' || expected === '' ? '–' : html`<small>${expected}</small>`;
}
