import { html } from 'ghtml';
import { shownId } from '../../../producer/response-body.ts';
import type { Job } from '../../../shared/contract/job.ts';
import type { Verdict } from '../../../shared/contract/words.ts';
import { usd, whole } from '../../../shared/runtime/format.ts';
import { outcomeSentence, priceSentence } from '../../../shared/runtime/outcome-sentence.ts';
import { expectedCost, expectedTokens, spentOn } from '../../../shared/runtime/spent.ts';
import type { Caller } from '../../access/key-ring.ts';
import { layout } from '../layout.ts';
import { badge, copyButton, facts, isOpen, moment, shortId, tagList, verdictSentences } from '../parts.ts';
import { beginningOf, content } from './content.ts';
import { ledgerTable } from './ledger-table.ts';
import { phasesBar, storyList } from './story.ts';

export interface JobPage {
  caller: Caller;
  job: Job;
  /** Empty if it is no longer kept. */
  request: Record<string, unknown>;
  /** The job that this one continues, if the caller may see it. */
  predecessor: string | null;
  /** The newest jobs that continue this one. */
  continuations: string[];
  /** The verdict of the cancel that led to this page. */
  verdict: Verdict | undefined;
  /** Redis' time. */
  now: number;
}

const LIVE_MS = 1000;

export function jobPage(page: JobPage): string {
  const { caller, job, request, verdict, now } = page;
  const isFollowed = isOpen(job) || job.ledger.some(row => row.status === 'pending');
  const id = shownId(job);
  return layout({
    title: `Job ${id}`,
    caller,
    section: '/jobs',
    scripts: ['stream-text.js'],
    liveMs: isFollowed ? LIVE_MS : null,
    body: html`<h1><span>Job</span> <code title="${id}">${shortId(id)}</code>!${copyButton(id, 'the id')} <span id="status" role="status">!${badge(job.status)}</span></h1>
!${job.preview === null ? '' : html`<p class="prompt-line">${job.preview}</p>`}
!${verdict ? html`<p class="notice" role="status">${verdictSentences[verdict]}</p>` : ''}
<p class="lead" id="outcome">${outcomeSentence(job, now)}</p>
!${phasesBar(job, now)}
<div id="about">!${about(page)}</div>
!${actions(job, request)}
!${isOpen(job) ? cancelForm(job.id) : ''}
!${isOpen(job) ? liveText(job.id) : ''}
!${job.response === null ? '' : content(job, request)}
<section id="story"><h2>What happened</h2>!${storyList(job)}</section>
<section id="ledger"><h2>What it cost</h2>!${ledgerTable(job) || html`<p>${priceSentence(job)}</p>`}</section>
!${job.response === null ? content(job, request) : ''}
<details id="record"><summary>Raw record</summary>!${insides(job, request)}</details>`,
  });
}

function about({ job, request, now, predecessor, continuations }: JobPage): string {
  const { total_tokens: tokens, cost_usd_micros: cost, is_whole: isWhole, is_priced: isPriced } = spentOn(job.ledger);
  const more = isWhole ? '' : ' so far; the rest is not known';
  const moreCost = more || (isPriced ? '' : '; some tokens have no price');
  return facts([
    ['Tokens', tokens === null ? nothingYet(job, expectedTokens(job.ledger)) : html`${whole(tokens)}${more}`],
    [
      'Cost',
      cost === null
        ? tokens === null
          ? nothingYet(job, expectedCost(job.ledger))
          : 'no price'
        : html`${usd(cost)}${moreCost}`,
    ],
    ['Model', html`${job.model}`],
    ['Tenant', html`<a href="/jobs?tenant=${encodeURIComponent(job.tenant)}">${job.tenant}</a>`],
    ['Tags', job.tags.length > 0 ? tagList(job.tags) : '–'],
    ['Enqueued', moment(job.created_at, now)],
    [job.decided_at === null ? 'Deadline' : 'Ended', moment(job.decided_at ?? job.deadline_at, now)],
    ...continued(request, predecessor),
    ...continuedBy(continuations),
    ...(job.callback_url === null
      ? []
      : ([['Callback', html`${URL.parse(job.callback_url)?.origin ?? ''}`]] as [string, string][])),
  ]);
}

/** What the job continues: a link if that is a job, and the provider's id if other code made it. */
function continued(
  { previous_response_id: id }: Record<string, unknown>,
  predecessor: string | null,
): [string, string][] {
  if (typeof id !== 'string') return [];
  const name = html`<code title="${id}">${shortId(id)}</code>`;
  return [['Continues', predecessor === null ? name : html`<a href="/jobs/${predecessor}">!${name}</a>`]];
}

function continuedBy(ids: string[]): [string, string][] {
  if (ids.length === 0) return [];
  const links = ids.map(id => html`<a href="/jobs/${id}"><code title="${id}">${shortId(id)}</code></a>`);
  return [['Continued by', links.join(', ')]];
}

/** What stands in for figures that nobody has: a job that was never sent, or only refused, has used nothing. */
function nothingYet({ launches }: Job, expected: string): string {
  if (launches.every(({ state }) => state === 'refused')) return 'none';
  return expected === '' ? 'not known' : html`not known, ${expected}`;
}

/** What can be done with a job, apart from cancelling it. */
function actions(job: Job, request: Record<string, unknown>): string {
  const isKept = Object.keys(request).length > 0;
  const curl = `curl -H "Authorization: Bearer $HEADSTONE_API_KEY" "{origin}/v1/responses/${shownId(job)}"`;
  return html`<div class="row" id="actions">
!${isKept && !isOpen(job) ? html`<a class="button" href="/jobs/${job.id}/again">Run again …</a>` : ''}
!${job.callback_url !== null && !isOpen(job) ? html`<form id="resend" method="post" action="/jobs/${job.id}/webhook/resend"><button>Send the callback again</button></form>` : ''}
<button type="button" data-copy="${curl}" hidden>Copy as curl</button>
<a class="button" href="/v1/jobs/${job.id}">Record as JSON</a>
</div>`;
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

/** A script fills this with the text as it comes. */
function liveText(id: string): string {
  return html`<section id="live-text" data-kept><h2>Answer</h2><pre id="text" class="text" tabindex="0" data-stream="/v1/responses/${id}?stream=true"></pre></section>`;
}

/** The bodies as they are, and what only Headstone's makers have words for. */
function insides(job: Job, request: Record<string, unknown>): string {
  const { response, ...record } = job;
  const raw = (name: string, id: string, value: unknown) =>
    html`<h3>${name}</h3><pre id="${id}" tabindex="0">${beginningOf(JSON.stringify(value, null, 2))}</pre>`;
  return html`!${Object.keys(request).length === 0 ? '' : raw('Request', 'request', request)}
!${response === null ? '' : raw('Response', 'result', response)}
!${raw('Record', 'raw-record', record)}`;
}
