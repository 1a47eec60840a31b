import { html } from 'ghtml';
import { heldLaunches } from '../../shared/contract/holds.ts';
import type { JobSummary } from '../../shared/contract/job.ts';
import { jobStatusSchema, openStatuses } from '../../shared/contract/words.ts';
import type { Caller } from '../access/key-ring.ts';
import { layout } from './layout.ts';
import { badge, isOpen, jobLink, moment, table, tagList } from './parts.ts';

interface JobsFilter {
  status?: string | undefined;
  tenant?: string | undefined;
  tag?: string | undefined;
}

export interface JobsPage {
  caller: Caller;
  filter: JobsFilter;
  jobs: JobSummary[];
  /** The id after which the next page begins; undefined on the last page. */
  next: string | undefined;
  isFirst: boolean;
}

const LIVE_MS = 2000;

export function jobsPage({ caller, filter, jobs, next, isFirst }: JobsPage): string {
  return layout({
    title: 'Jobs',
    caller,
    section: '/jobs',
    scripts: ['live.js', 'select-all.js'],
    body: html`<h1>Jobs</h1>
!${filterForm(caller, filter)}
<form id="jobs" method="get" action="/cancellations/new">
<input type="hidden" name="selected" value="1">
<div id="live" !${isFirst && isCheap(filter) ? html`data-live="${LIVE_MS}"` : ''}>
!${jobs.length === 0 ? nothing(filter) : list(caller, jobs)}
</div>
<p class="row">
!${caller.admin && jobs.some(isOpen) ? '<button class="danger" id="cancel-selected">Cancel the selected …</button>' : ''}
!${next === undefined ? '' : html`<a class="button" href="${pathOf({ ...filter, after: next })}">Older</a>`}
!${isFirst ? '' : html`<a class="button" href="${pathOf(filter)}">Newest</a>`}
</p>
</form>
!${caller.admin && mayMatchOpen(filter) ? cancelMatching(filter) : ''}`,
  });
}

function mayMatchOpen({ status }: JobsFilter): boolean {
  return !status || (openStatuses as readonly string[]).includes(status);
}

/** False for two filters, because the store may have to read far for jobs that match both. */
function isCheap(filter: JobsFilter): boolean {
  return Object.values(filter).filter(Boolean).length < 2;
}

function filterForm(caller: Caller, filter: JobsFilter): string {
  const options = ['', ...jobStatusSchema.options].map(
    status =>
      html`<option value="${status}" !${status === (filter.status ?? '') ? 'selected' : ''}>${status || 'any'}</option>`,
  );
  return html`<form class="filter" method="get" action="/jobs" role="search">
<label>Status <select name="status">!${options.join('')}</select></label>
!${caller.admin ? html`<label>Tenant <input name="tenant" value="${filter.tenant ?? ''}" size="12"></label>` : ''}
<label>Tag <input name="tag" value="${filter.tag ?? ''}" size="12"></label>
<button>Filter</button>
</form>`;
}

function nothing(filter: JobsFilter): string {
  return Object.values(filter).some(Boolean)
    ? '<p class="empty">No job matches this filter.</p>'
    : '<p class="empty">No job yet. Enqueue one: <code>headstone enqueue "Write a report on tides"</code></p>';
}

function list(caller: Caller, jobs: JobSummary[]): string {
  const select = '<input type="checkbox" data-select-all aria-label="Select every open job on this page">';
  return table(
    'Jobs, the newest first',
    [
      ...(caller.admin ? [{ name: select }] : []),
      { name: 'Job' },
      { name: 'Status' },
      { name: 'Model' },
      ...(caller.admin ? [{ name: 'Tenant' }] : []),
      { name: 'Tags' },
      { name: 'Enqueued (UTC)' },
      { name: 'Tombstone', wraps: true },
    ],
    jobs.map(job => [
      ...(caller.admin ? [isOpen(job) ? checkbox(job.id) : ''] : []),
      jobLink(job),
      badge(job.status),
      html`${job.model}`,
      ...(caller.admin ? [html`${job.tenant}`] : []),
      tagList(job.tags),
      moment(job.created_at),
      tombstone(job),
    ]),
  );
}

function checkbox(id: string): string {
  return html`<input type="checkbox" name="ids" value="${id}" aria-label="Select ${id}">`;
}

function tombstone({ tombstone: mark, held_by }: JobSummary): string {
  if (mark)
    return html`${[mark.cause, mark.actor && `by ${mark.actor}`].filter(Boolean).join(' ')}!${reason(mark.reason)}`;
  return held_by === null ? '' : html`<small>waits because ${heldLaunches(held_by)} are held</small>`;
}

function reason(text: string | null): string {
  return text === null ? '' : html`: “${text}”`;
}

function cancelMatching(filter: JobsFilter): string {
  const fields = Object.entries(filter)
    .filter(([, value]) => value)
    .map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
  return html`<form method="get" action="/cancellations/new">
!${fields.join('')}
<button class="quiet">!${fields.length > 0 ? 'Cancel every open job that matches this filter …' : 'Cancel every open job …'}</button>
</form>`;
}

function pathOf(query: JobsFilter & { after?: string }): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return `/jobs?${new URLSearchParams(given)}`;
}
