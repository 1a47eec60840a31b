import { html } from 'ghtml';
import type { LedgerRow } from '../../../shared/contract/ledger.ts';
import type { WasteRows, WasteRowsQuery } from '../../../shared/contract/waste-rows.ts';
import { counted, span, usd, whole } from '../../../shared/runtime/format.ts';
import { expectedCost, expectedTokens } from '../../../shared/runtime/spent.ts';
import type { Caller } from '../../access/key-ring.ts';
import { layout } from '../layout.ts';
import { moment, pathOf, shortId, table } from '../parts.ts';
import { nameOf } from './sums.ts';

export interface RowsPage {
  caller: Caller;
  query: WasteRowsQuery;
  view: WasteRows;
  /** What is known of each model's responses, for the estimates. */
  now: number;
}

/** The responses behind a sum of the waste, the newest first. */
export function rowsPage({ caller, query, view, now }: RowsPage): string {
  const { rows, next, looked } = view;
  const { since, until, tenant } = query;
  return layout({
    title: 'Responses in the ledger',
    caller,
    section: '/waste',
    body: html`<h1>!${heading(query)}</h1>
<p><a href="${pathOf('/waste', { by: query.by, since, until, tenant })}">Back to the sums</a></p>
!${rows.length === 0 ? html`<p class="empty">None of the ${whole(looked)} responses checked so far matches.</p>` : rowsTable(caller, rows, now)}
<p class="row">
!${next === null ? '' : html`<a class="button" href="${linkTo({ ...query, after: next })}">${looked > rows.length ? 'Look further' : 'Older'}</a>`}
!${query.after === undefined ? '' : html`<a class="button" href="${linkTo({ ...query, after: undefined })}">Back to the beginning</a>`}
!${next !== null && looked > rows.length ? html`<small>${counted(rows.length, 'match', 'matches')} among the ${whole(looked)} responses checked so far.</small>` : ''}
</p>`,
  });
}

/** An empty key means something: the rows that have none. */
function linkTo({ key, ...query }: WasteRowsQuery): string {
  const path = pathOf('/waste/responses', query);
  return key === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}key=${encodeURIComponent(key)}`;
}

function heading({ by, key, kind, usage, since, until, tenant }: WasteRowsQuery): string {
  const what = kind === undefined ? 'Responses' : kind === 'wasted' ? 'Wasted responses' : 'Used responses';
  const days =
    since === until ? since : [since && `since ${since}`, until && `until ${until}`].filter(Boolean).join(' ');
  const parts = [
    usage === undefined ? '' : usage === 'open' ? 'whose usage is not known' : 'whose usage is known',
    by === undefined || key === undefined ? '' : `${by} ${nameOf(by, key)}`,
    tenant === undefined ? '' : `tenant ${tenant}`,
    days ? `${days} (UTC)` : '',
  ].filter(Boolean);
  return html`${[what, ...parts].join(' · ')}`;
}

function rowsTable(caller: Caller, rows: LedgerRow[], now: number): string {
  return table(
    'Responses, the newest first',
    [
      { name: 'Job' },
      { name: 'Opened' },
      { name: 'Model' },
      ...(caller.admin ? [{ name: 'Tenant' }] : []),
      { name: 'Why' },
      { name: 'Tokens', numeric: true },
      { name: 'Cost', numeric: true },
      { name: 'Known after', numeric: true },
    ],
    rows.map(row => [
      html`<a href="/jobs/${row.job_id}" title="${row.chosen_job_id ?? row.job_id}"><code>${shortId(row.chosen_job_id ?? row.job_id)}</code></a>`,
      moment(row.at, now),
      html`${row.model}`,
      ...(caller.admin ? [html`${row.tenant}`] : []),
      html`${[row.actor, row.reason ?? row.cause].filter(Boolean).join(': ')}`,
      row.usage === null
        ? html`<small>${expectedTokens([row]) || 'not known'}</small>`
        : html`${whole(row.usage.total_tokens)}`,
      row.usage === null
        ? html`<small>${expectedCost([row]) || 'not known'}</small>`
        : html`${usd(row.cost_usd_micros)}`,
      row.late_by_ms === null
        ? row.status === 'final'
          ? '–'
          : html`<small>${row.status}</small>`
        : html`${span(row.late_by_ms)}`,
    ]),
  );
}
