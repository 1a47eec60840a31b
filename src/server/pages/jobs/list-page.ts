import { html } from 'ghtml';
import type { JobsView, Sort, ViewQuery } from '../../../shared/contract/view.ts';
import { type JobStatus, jobStatusSchema, openStatuses } from '../../../shared/contract/words.ts';
import { counted, whole } from '../../../shared/runtime/format.ts';
import type { Caller } from '../../access/key-ring.ts';
import { layout } from '../layout.ts';
import { isOpen, pathOf } from '../parts.ts';
import { jobsTable } from './list-table.ts';

export interface JobsPage {
  caller: Caller;
  query: ViewQuery;
  view: JobsView;
  /** Redis' time. */
  now: number;
}

const LIVE_MS = 2000;

export function jobsPage({ caller, query, view, now }: JobsPage): string {
  const { after } = query;
  return layout({
    title: 'Jobs',
    caller,
    section: '/jobs',
    scripts: ['selection.js'],
    // A later page, and one that took long to find, stays as it is.
    liveMs: after === undefined && query.search === undefined && query.sort === 'newest' ? LIVE_MS : null,
    body: html`<h1>Jobs</h1>
!${searchForm(caller, query)}
!${chips(query)}
!${tabs(query, view)}
<form id="jobs" method="get" action="/cancellations/new">
<input type="hidden" name="selected" value="1">
<div class="jobs">!${view.jobs.length === 0 ? nothing(query, view) : jobsTable(caller, view.jobs, now, link(query))}</div>
!${under(query, view)}
!${caller.admin && view.jobs.some(isOpen) ? selectionBar(query, view) : ''}
</form>`,
  });
}

/** Makes links to this list with a part of the query changed. The new list begins at its beginning. */
function link(query: ViewQuery) {
  return (change: Partial<Record<keyof ViewQuery, string | undefined>>) => {
    const next = { ...query, after: undefined, ...change };
    return pathOf('/jobs', { ...next, sort: next.sort === 'newest' ? undefined : next.sort });
  };
}

function searchForm(caller: Caller, query: ViewQuery): string {
  const { status, sort, search = '', model = '', tenant = '', tag = '', since = '', until = '' } = query;
  return html`<form class="filter" method="get" action="/jobs" role="search">
<label class="unseen" for="search">Search</label>
<input type="search" id="search" name="search" value="${search}" maxlength="200" placeholder="Id, tag, model!${caller.admin ? ', tenant' : ''}, or words of the prompt">
<button>Search</button>
!${status ? html`<input type="hidden" name="status" value="${status}">` : ''}
!${query.cancellation ? html`<input type="hidden" name="cancellation" value="${query.cancellation}">` : ''}
!${sort === 'newest' ? '' : html`<input type="hidden" name="sort" value="${sort}">`}
<details !${model || tenant || tag || since || until ? 'open' : ''}><summary>Filters</summary><div>
<label>Model <input name="model" value="${model}" size="14"></label>
!${caller.admin ? html`<label>Tenant <input name="tenant" value="${tenant}" size="12"></label>` : ''}
<label>Tag <input name="tag" value="${tag}" size="12"></label>
<label>Since <input name="since" value="${since}" size="18" placeholder="2026-11-21" aria-describedby="period"></label>
<label>Until <input name="until" value="${until}" size="18" placeholder="2026-11-21T08:30Z" aria-describedby="period"></label>
<small id="period">Days are in UTC. A time needs a zone, as in 2026-11-21T08:30Z.</small>
</div></details>
</form>`;
}

/** What narrows the list, each with a link that removes it. */
function chips(query: ViewQuery): string {
  const names = ['search', 'model', 'tenant', 'tag', 'since', 'until', 'cancellation'] as const;
  const given = names.filter(name => query[name] !== undefined);
  if (given.length === 0) return '';
  return html`<p class="chips">!${given
    .map(
      name =>
        html`<a class="chip" href="${link(query)({ [name]: undefined })}" aria-label="Remove the filter ${name} ${query[name]}">${name}: ${query[name]} ✕</a>`,
    )
    .join(' ')} <a class="chip" href="/jobs">Clear all</a></p>`;
}

function tabs(query: ViewQuery, { counts }: JobsView): string {
  const total = counts && Object.values(counts).reduce((sum, count) => sum + count, 0);
  const tab = (name: string, status: JobStatus | undefined, count: number | null | undefined) =>
    html`<a href="${link(query)({ status })}" !${query.status === status ? 'aria-current="true"' : ''}>${name}!${count === null || count === undefined ? '' : html` <b>${whole(count)}</b>`}</a>`;
  return html`<nav class="tabs" aria-label="Status">!${tab('all', undefined, total)}!${jobStatusSchema.options
    .map(status => tab(status, status, counts?.[status]))
    .join('')}</nav>`;
}

function nothing(query: ViewQuery, { looked, next }: JobsView): string {
  const { sort, after, ...filter } = query;
  if (next !== null && looked === 0) return html`<p class="empty">No job matches so far.</p>`;
  if (next !== null) return html`<p class="empty">None of the ${whole(looked)} jobs checked so far matches.</p>`;
  return Object.values(filter).some(value => value !== undefined)
    ? '<p class="empty">No job matches. <a href="/jobs">Show all jobs</a></p>'
    : '<p class="empty">No job yet. Enqueue one: <code>headstone enqueue "Write a report on tides"</code></p>';
}

const sortedBy: Partial<Record<Sort, string>> = { longest: 'longest', dearest: 'most expensive' };

/** What is said below the list, and where it goes on. */
function under(query: ViewQuery, { jobs, next, looked }: JobsView): string {
  const sorted = sortedBy[query.sort];
  const said = sorted
    ? html`The ${sorted} ${counted(jobs.length, 'match', 'matches')} among the newest ${counted(looked, 'job')}.`
    : next !== null && looked > jobs.length
      ? html`${counted(jobs.length, 'match', 'matches')} among the ${whole(looked)} jobs checked so far.`
      : '';
  const further = query.sort === 'oldest' ? 'Newer' : 'Older';
  return html`<p class="row">!${said && html`<small>!${said}</small>`}
!${next === null ? '' : html`<a class="button" href="${link(query)({ after: next })}">${looked > jobs.length || jobs.length === 0 ? 'Look further' : further}</a>`}
!${query.after === undefined ? '' : html`<a class="button" href="${link(query)({})}">Back to the beginning</a>`}
</p>`;
}

/** Stays in sight, says how many jobs are selected, and offers all open jobs of the filter. */
function selectionBar(query: ViewQuery, { counts }: JobsView): string {
  const { sort, after, search, cancellation, ...filter } = query;
  const openOnes = openStatuses.filter(status => filter.status === undefined || filter.status === status);
  const count = counts && openOnes.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  const all = html`<a class="button" href="${pathOf('/cancellations/new', filter)}">Cancel all ${count === null ? 'open jobs' : counted(count, 'open job')}!${Object.keys(filter).some(name => filter[name as keyof typeof filter]) ? ' of this filter' : ''} …</a>`;
  return html`<div class="bar"><output id="selected" aria-live="polite"></output>
<button class="danger" id="cancel-selected">Cancel the selected …</button>
!${search === undefined && cancellation === undefined && openOnes.length > 0 ? all : ''}</div>`;
}
