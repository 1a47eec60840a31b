import { html } from 'ghtml';
import type { Cancellation, CancellationEstimate, CancellationFilter } from '../../../shared/contract/cancellation.ts';
import { usd, whole } from '../../../shared/runtime/format.ts';
import type { Caller } from '../../access/key-ring.ts';
import { layout } from '../layout.ts';
import { facts, moment } from '../parts.ts';

const LIVE_MS = 500;

/** Asks for confirmation, with the figures of a dry run. */
export function confirmationPage(caller: Caller, filter: CancellationFilter, dryRun: CancellationEstimate): string {
  const { jobs, by_status: byStatus, estimate } = dryRun;
  return layout({
    title: 'Cancel jobs',
    caller,
    section: '/jobs',
    body: html`<h1>Cancel ${whole(jobs)} ${jobs === 1 ? 'job' : 'jobs'}?</h1>
!${facts([
      ['Jobs', meant(filter)],
      [
        'By status',
        html`${
          Object.entries(byStatus)
            .map(([status, count]) => `${whole(count)} ${status}`)
            .join(', ') || 'none is open'
        }`,
      ],
      ['Estimated value', html`${whole(estimate.tokens)} tokens, ${usd(estimate.cost_usd_micros)}`],
      [
        'Saved by this',
        html`about ${whole(estimate.spared_tokens)} tokens, ${usd(estimate.spared_cost_usd_micros)}, for jobs that were not launched yet`,
      ],
      ...(estimate.jobs_without_average > 0
        ? ([['Not included', html`${whole(estimate.jobs_without_average)} jobs of models that have not run yet`]] as [
            string,
            string,
          ][])
        : []),
    ])}
<p><small>${estimate.note}</small></p>
!${jobs === 0 ? '<p><a class="button" href="/jobs">Back</a></p>' : confirmForm(filter, jobs)}`,
  });
}

function confirmForm(filter: CancellationFilter, jobs: number): string {
  return html`<form class="card cancel" method="post" action="/cancellations">
<input type="hidden" name="filter" value="${JSON.stringify(filter)}">
<label for="reason">Reason <small>(kept with every job, at most 200 characters)</small></label>
<div class="row">
<input id="reason" name="reason" maxlength="200" autocomplete="off" autofocus>
<button class="danger">Cancel ${whole(jobs)} ${jobs === 1 ? 'job' : 'jobs'}</button>
<a class="button" href="/jobs">Keep them</a>
</div>
</form>`;
}

function meant({ ids, all, ...rest }: CancellationFilter): string {
  if (ids) return html`the ${whole(ids.length)} that you selected`;
  if (all) return 'every open job';
  return html`open jobs with ${Object.entries(rest)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}`;
}

/** Shows how far a cancellation has come. */
export function progressPage(caller: Caller, cancellation: Cancellation): string {
  const { id, status, cancelled, expected, reason, actor } = cancellation;
  const headline = {
    running: 'Cancelling',
    done: 'Cancelled',
    stopped: 'Stopped',
  }[status];
  return layout({
    title: headline,
    caller,
    section: '/jobs',
    liveMs: status === 'running' ? LIVE_MS : null,
    body: html`<div>
<h1 id="headline" role="status">${headline}: ${whole(cancelled)} of ${whole(expected)}</h1>
<progress id="progress" max="${Math.max(expected, 1)}" value="${status === 'done' ? Math.max(expected, 1) : cancelled}">${cancelled}</progress>
!${status === 'done' && cancelled !== expected ? '<p>The other jobs ended by themselves, or were enqueued meanwhile.</p>' : ''}
!${facts([
      ['Cancelled by', html`${actor ?? 'unknown'}`],
      ['Reason', html`${reason ?? '–'}`],
      ['Begun', moment(cancellation.created_at)],
      ['Last step', moment(cancellation.advanced_at)],
    ])}
!${status === 'running' ? html`<form method="post" action="/cancellations/${id}/stop"><button>Stop</button></form>` : ''}
</div>
<p><a class="button" href="/jobs?status=cancelled">Cancelled jobs</a> <a class="button" href="/waste">Waste</a></p>`,
  });
}
