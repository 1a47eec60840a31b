import { html } from 'ghtml';
import type { Cancellation, CancellationEstimate, CancellationFilter } from '../../../shared/contract/cancellation.ts';
import type { WasteSum } from '../../../shared/contract/ledger.ts';
import { counted, usd, whole } from '../../../shared/runtime/format.ts';
import type { Caller } from '../../access/key-ring.ts';
import { layout } from '../layout.ts';
import { badge, facts, moment, table } from '../parts.ts';
import { rowsPath } from '../waste/sums.ts';
import { selectionOf } from './filter-words.ts';
import { type Averages, savedBy, wastedBy } from './worth.ts';

const LIVE_MS = 500;
const WATCHED_MS = 5000;

/** Asks for confirmation, with the figures of a dry run. */
export function confirmationPage(caller: Caller, filter: CancellationFilter, dryRun: CancellationEstimate): string {
  const { jobs, by_status: byStatus, estimate } = dryRun;
  const statuses = Object.entries(byStatus).map(([status, count]) => `${whole(count)} ${status}`);
  return layout({
    title: 'Cancel jobs',
    caller,
    section: '/cancellations',
    body: html`<h1>Cancel ${counted(jobs, 'job')}?</h1>
!${facts([
      ['Selection', html`${selectionOf(filter)}`],
      ['Status now', html`${statuses.join(', ') || 'none is open'}`],
      ['Cost if left alone', costLeftAlone(dryRun)],
      ['Would be saved', wouldBeSaved(dryRun)],
    ])}
<p><small>${estimate.note}</small></p>
!${jobs === 0 ? '<p><a class="button" href="/jobs">Back</a></p>' : confirmForm(filter, jobs)}`,
  });
}

/** What the jobs would use by the averages of their models, and how many of them are not in that figure. */
function costLeftAlone({ jobs, estimate }: CancellationEstimate): string {
  const { tokens, cost_usd_micros: cost, jobs_without_average: unseen, jobs_without_price: unpriced } = estimate;
  if (jobs > 0 && unseen === jobs) return 'not known: no run of these models in the last 30 days';
  const price = unpriced > 0 && unseen + unpriced === jobs ? 'no price' : usd(cost);
  const missing = [
    ...(unseen > 0 ? [`${counted(unseen, 'job')} whose model has not run in the last 30 days`] : []),
    ...(unpriced > 0 ? [`the price of ${counted(unpriced, 'job')}`] : []),
  ];
  return html`about ${whole(tokens)} tokens, ${price}${missing.length > 0 ? `, not counting ${missing.join(' and ')}` : ''}`;
}

function wouldBeSaved({ by_status: byStatus, estimate }: CancellationEstimate): string {
  const { spared_tokens: tokens, spared_cost_usd_micros: cost, spared_without_cost: without } = estimate;
  const queued = byStatus.queued ?? 0;
  if (queued === 0) return 'nothing: all were launched';
  if (without === queued) return html`the cost of ${counted(queued, 'job')}, which is not known`;
  const known =
    without > 0 ? ` for ${whole(queued - without)} of ${whole(queued)} jobs` : ` for ${counted(queued, 'job')}`;
  return html`about ${whole(tokens)} tokens, ${usd(cost)},${known} not launched yet`;
}

function confirmForm(filter: CancellationFilter, jobs: number): string {
  return html`<form class="card cancel" method="post" action="/cancellations">
<input type="hidden" name="filter" value="${JSON.stringify(filter)}">
<label for="reason">Reason <small>(kept with every job, at most 200 characters)</small></label>
<div class="row">
<input id="reason" name="reason" maxlength="200" autocomplete="off" autofocus>
<button class="danger">Cancel ${counted(jobs, 'job')}</button>
<a class="button" href="/jobs">Keep ${jobs === 1 ? 'it' : 'them'}</a>
</div>
</form>`;
}

export interface ProgressPage {
  caller: Caller;
  cancellation: Cancellation;
  averages: Averages;
  /** What its jobs wasted; undefined if nothing was launched for them. */
  wasted: WasteSum | undefined;
  now: number;
}

const headlines = { running: 'Cancelling', done: 'Cancelled', stopped: 'Stopped' };

/** Shows how far a cancellation has come, what it saved, and what it wasted in the end. */
export function progressPage({ caller, cancellation, averages, wasted, now }: ProgressPage): string {
  const { id, status, cancelled, expected, reason, actor } = cancellation;
  const most = Math.max(expected, 1);
  const isWatched = (wasted?.pending ?? 0) > 0;
  return layout({
    title: headlines[status],
    caller,
    section: '/cancellations',
    liveMs: status === 'running' ? LIVE_MS : isWatched ? WATCHED_MS : null,
    body: html`<div role="status"><h1 id="headline">${headlines[status]}: ${whole(cancelled)} of ${whole(expected)}</h1></div>
<progress id="progress" aria-label="Jobs cancelled" max="${most}" value="${status === 'done' ? most : cancelled}">${cancelled}</progress>
!${status === 'done' && cancelled !== expected ? '<p>The numbers differ because some jobs ended by themselves or were enqueued in the meantime.</p>' : ''}
!${facts([
      ['Selection', html`${selectionOf(cancellation.filter)}`],
      ['Cancelled by', html`${actor ?? 'unknown'}`],
      ['Reason', html`${reason ?? '–'}`],
      ['Saved', html`${savedBy(cancellation, averages)}`],
      [
        'Wasted',
        wasted
          ? html`<a href="${rowsPath('cancellation', id, wholeTime)}">${wastedBy(cancellation, wasted)}</a>`
          : html`${wastedBy(cancellation, wasted)}`,
      ],
      ['Started', moment(cancellation.created_at, now)],
      ['Last step', moment(cancellation.advanced_at, now)],
    ])}
!${status === 'running' ? html`<form method="post" action="/cancellations/${id}/stop"><button>Stop</button></form>` : ''}
<p><a class="button" href="/jobs?cancellation=${id}">The jobs that it cancelled</a> <a class="button" href="/cancellations">All cancellations</a></p>`,
  });
}

const wholeTime = { since: undefined, until: undefined, tenant: undefined };

export interface ListPage {
  caller: Caller;
  cancellations: Cancellation[];
  averages: Averages;
  /** What they wasted, by id. */
  wasted: WasteSum[];
  now: number;
}

/** All cancellations that are kept, the newest first. */
export function cancellationsPage({ caller, cancellations, averages, wasted, now }: ListPage): string {
  return layout({
    title: 'Cancellations',
    caller,
    section: '/cancellations',
    liveMs: cancellations.some(({ status }) => status === 'running') ? WATCHED_MS : null,
    body: html`<h1>Cancellations</h1>
<p>Cancels of many jobs at once, of the last 7 days. <a href="/cancellations/new">Cancel every open job …</a>, or filter <a href="/jobs">the job list</a> first.</p>
!${
      cancellations.length === 0
        ? '<p class="empty">There were no cancellations in the last 7 days.</p>'
        : table(
            'Cancellations, the newest first',
            [
              { name: 'Started' },
              { name: 'Status' },
              { name: 'Selection', wraps: true },
              { name: 'By' },
              { name: 'Reason', wraps: true },
              { name: 'Cancelled', numeric: true },
              { name: 'Saved', numeric: true },
              { name: 'Wasted', numeric: true },
            ],
            cancellations.map(one => [
              html`<a href="/cancellations/${one.id}">!${moment(one.created_at, now)}</a>`,
              badge(one.status),
              html`${selectionOf(one.filter)}`,
              html`${one.actor ?? '–'}`,
              html`${one.reason ?? '–'}`,
              html`<a href="/jobs?cancellation=${one.id}">${whole(one.cancelled)} of ${whole(one.expected)}</a>`,
              html`${savedBy(one, averages)}`,
              html`${wastedBy(
                one,
                wasted.find(({ key }) => key === one.id),
              )}`,
            ]),
          )
    }`,
  });
}
