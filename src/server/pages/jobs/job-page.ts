import { html } from 'ghtml';
import { shownId } from '../../../producer/response-body.ts';
import { heldLaunches } from '../../../shared/contract/holds.ts';
import type { Job } from '../../../shared/contract/job.ts';
import type { LedgerRow } from '../../../shared/contract/ledger.ts';
import { CLIENT_DISCONNECTED, type Verdict } from '../../../shared/contract/words.ts';
import { counted, span, usd, whole } from '../../../shared/runtime/format.ts';
import type { Caller } from '../../access/key-ring.ts';
import { layout } from '../layout.ts';
import { badge, facts, isOpen, moment, table, tagList, verdictSentences } from '../parts.ts';
import { timeline } from './timeline.ts';

export interface JobPage {
  caller: Caller;
  job: Job;
  /** Empty if it is no longer kept. */
  request: Record<string, unknown>;
  /** The verdict of the cancel that led to this page. */
  verdict: Verdict | undefined;
}

const LIVE_MS = 1000;

export function jobPage({ caller, job, request, verdict }: JobPage): string {
  const isFollowed = isOpen(job) || job.ledger.some(row => row.status === 'pending');
  return layout({
    title: `Job ${shownId(job)}`,
    caller,
    section: '/jobs',
    scripts: ['stream-text.js'],
    liveMs: isFollowed ? LIVE_MS : null,
    body: html`<div>
<h1><span>Job</span> <code>${shownId(job)}</code> <span id="status" role="status">!${badge(job.status)}</span></h1>
!${verdict ? html`<p class="notice" role="status">${verdictSentences[verdict]}</p>` : ''}
<div id="about">!${about(job)}</div>
</div>
!${isOpen(job) ? cancelForm(job.id) : ''}
!${job.callback_url !== null && !isOpen(job) ? resendForm(job.id) : ''}
!${isOpen(job) ? liveText(job.id) : ''}
<section id="story"><h2>What happened</h2>!${timeline(job.timeline)}</section>
<section id="ledger"><h2>What it cost</h2>!${ledger(job)}</section>
<section id="content"><h2>Request and result</h2>!${content(job, request)}</section>`,
  });
}

function about(job: Job): string {
  const { tombstone, outcome } = job;
  return facts([
    ['Model', html`${job.model}`],
    ['Tenant', html`${job.tenant}`],
    ['Tags', job.tags.length > 0 ? tagList(job.tags) : '–'],
    ['Enqueued', moment(job.created_at)],
    ['Deadline', moment(job.deadline_at)],
    ['Ended', moment(job.decided_at)],
    ['Response', job.response_id === null ? '–' : html`<code>${job.response_id}</code>`],
    ...(job.callback_url === null
      ? []
      : ([['Callback', html`${URL.parse(job.callback_url)?.origin ?? ''}`]] as [string, string][])),
    ...(job.held_by === null
      ? []
      : ([['Waits because', html`${heldLaunches(job.held_by)} are held`]] as [string, string][])),
    ...(outcome?.error
      ? ([['Error', html`<code>${outcome.error.code}</code> ${outcome.error.message}`]] as [string, string][])
      : []),
    ...(tombstone
      ? ([
          [
            'Tombstone',
            html`${tombstone.cause}, by ${tombstone.actor ?? (tombstone.reason === CLIENT_DISCONNECTED ? 'its caller, who went away' : 'unknown')}`,
          ],
        ] as [string, string][])
      : []),
  ]);
}

function cancelForm(id: string): string {
  return html`<form class="card cancel" id="cancel" method="get" action="/jobs/${id}/cancel">
<label for="reason">Reason <small>(kept with the job, at most 200 characters)</small></label>
<div class="row">
<input id="reason" name="reason" maxlength="200" autocomplete="off" placeholder="wrong prompt">
<button class="danger">Cancel this job …</button>
</div>
</form>`;
}

function resendForm(id: string): string {
  return html`<form id="resend" method="post" action="/jobs/${id}/webhook/resend"><button>Send the callback again</button></form>`;
}

/** A script fills this with the text as it comes. */
function liveText(id: string): string {
  return html`<section><h2>Text</h2><pre id="text" class="text" data-stream="/v1/responses/${id}?stream=true"></pre></section>`;
}

function ledger(job: Job): string {
  return html`!${unknownLaunches(job)}!${job.ledger.length === 0 ? '' : rowsTable(job.ledger)}`;
}

/** What is said of the launches that no row stands for. */
function unknownLaunches({ launches, ledger: rows }: Job): string {
  const lost = launches.filter(({ state }) => state === 'unknown').length;
  const sent = launches.filter(({ state }) => state === 'intended').length;
  if (lost > 0)
    return html`<p class="notice bad">Not known: ${counted(lost, 'create')} may have been run and billed, and no id came back.</p>`;
  if (sent > 0) return '<p>A create is on its way. What it costs is not known yet.</p>';
  return rows.length > 0 ? '' : '<p>Nothing was launched, so nothing was charged.</p>';
}

function rowsTable(rows: LedgerRow[]): string {
  return table(
    'The responses of this job',
    [
      { name: 'Response' },
      { name: 'Booked as' },
      { name: 'At the provider' },
      { name: 'Input', numeric: true },
      { name: 'Output', numeric: true },
      { name: 'Total', numeric: true },
      { name: 'Cost', numeric: true },
      { name: 'Late by', numeric: true },
    ],
    rows.map(row => [
      html`<code>${row.response_id}</code>`,
      booking(row),
      html`${row.upstream_status ?? '–'}`,
      tokens(row, 'input_tokens'),
      tokens(row, 'output_tokens'),
      tokens(row, 'total_tokens'),
      row.usage === null ? '–' : html`${usd(row.cost_usd_micros)}`,
      row.late_by_ms === null ? '–' : html`${span(row.late_by_ms)}`,
    ]),
  );
}

function booking({ kind, cause, status }: LedgerRow): string {
  const what = kind === 'wasted' ? `wasted (${cause})` : (kind ?? 'open');
  return html`<span class="${kind ?? ''}">${what}</span>!${status === 'final' ? '' : html` <small>${status}</small>`}`;
}

function tokens(
  { usage, status, most_tokens: most }: LedgerRow,
  part: 'input_tokens' | 'output_tokens' | 'total_tokens',
) {
  if (usage) return html`${whole(usage[part])}`;
  if (part === 'total_tokens' && status !== 'final' && most !== null)
    return html`<small>at most ${whole(most)}</small>`;
  return '–';
}

/** The request and the result, folded. Everyone who may see this page may also read them by the API. */
function content(job: Job, request: Record<string, unknown>): string {
  const asked =
    Object.keys(request).length === 0
      ? '<p>The request is no longer kept.</p>'
      : html`<details id="request"><summary>Request</summary><pre>${JSON.stringify(request, null, 2)}</pre></details>`;
  if (job.response)
    return html`!${asked}<details id="result"><summary>Result</summary><pre>${JSON.stringify(job.response, null, 2)}</pre></details>`;
  return html`!${asked}<p>${noResult(job)}</p>`;
}

function noResult({ status, outcome }: Job): string {
  if (outcome === null) return 'There is no result yet.';
  if (outcome.result === 'deleted') return 'The result was deleted by its owner.';
  if (outcome.result === 'expired') return 'The result is no longer kept (HEADSTONE_RESULT_TTL_MS).';
  return status === 'failed' ? 'The run failed.' : 'This job has no result, and will never have one.';
}
