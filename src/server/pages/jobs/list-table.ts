import { html } from 'ghtml';
import { shownId } from '../../../producer/response-body.ts';
import { heldLaunches } from '../../../shared/contract/holds.ts';
import type { ListedJob, ViewQuery } from '../../../shared/contract/view.ts';
import { UNKNOWN_MODEL } from '../../../shared/contract/words.ts';
import { age, shortWhole, span, usd, whole } from '../../../shared/runtime/format.ts';
import type { Caller } from '../../access/key-ring.ts';
import { badge, type Column, isOpen, jobLink, table, timeTag } from '../parts.ts';

type Link = (change: Partial<Record<keyof ViewQuery, string | undefined>>) => string;

/** The jobs, each in one line. On a phone each is a card. */
export function jobsTable(caller: Caller, jobs: ListedJob[], now: number, link: Link): string {
  const { admin } = caller;
  const sortLink = (name: string, sort: string, hint: string) =>
    html`<a href="${link({ sort })}" title="${hint}">${name}</a>`;
  const columns: (Column | false)[] = [
    admin && {
      name: '<input type="checkbox" data-select-all aria-label="Select every open job on this page">',
      kind: 'pick',
    },
    { name: 'Job', kind: 'id' },
    { name: 'Prompt', kind: 'prompt' },
    { name: 'Status', kind: 'status' },
    { name: 'Why', kind: 'why' },
    { name: 'Model', kind: 'model' },
    admin && { name: 'Tenant', kind: 'tenant' },
    { name: 'Tags', kind: 'of-tags' },
    { name: sortLink('Age', 'oldest', 'Oldest first'), numeric: true, kind: 'age' },
    { name: sortLink('Duration', 'longest', 'Longest first'), numeric: true, kind: 'took' },
    { name: 'Tokens', numeric: true, kind: 'tokens' },
    { name: sortLink('Cost', 'dearest', 'Most expensive first'), numeric: true, kind: 'cost' },
  ];
  const rows = jobs.map(job =>
    [
      admin && (isOpen(job) ? checkbox(job) : ''),
      jobLink(job),
      html`<span title="${job.preview ?? ''}">${job.preview ?? '–'}</span>`,
      badge(job.status),
      because(job),
      job.model === UNKNOWN_MODEL ? '–' : html`<span title="${job.model}">${job.model}</span>`,
      admin && html`<span title="${job.tenant}">${job.tenant}</span>`,
      tags(job.tags, link),
      timeTag(job.created_at, age(Math.max(0, now - job.created_at))),
      job.decided_at === null ? '–' : html`${took(job.decided_at - job.created_at)}`,
      job.total_tokens === null
        ? unseen(job)
        : html`<span title="${whole(job.total_tokens)} tokens">${shortWhole(job.total_tokens)}</span>!${more(job)}`,
      job.cost_usd_micros === null
        ? job.total_tokens === null
          ? unseen(job)
          : 'no price'
        : html`${usd(job.cost_usd_micros)}!${more({ is_whole: job.is_whole && job.is_priced })}`,
    ].filter(cell => cell !== false),
  );
  const shown = columns.filter(column => column !== false);
  return table(
    'Jobs',
    shown,
    rows,
    jobs.map(({ id }) => id),
  );
}

function checkbox(job: ListedJob): string {
  return html`<input type="checkbox" name="ids" value="${job.id}" id="pick-${job.id}" aria-label="Select ${shownId(job)}">`;
}

/** A job that has ended may have used what nobody has shown yet. That is not the same as nothing. */
function unseen(job: ListedJob): string {
  return job.is_whole || isOpen(job) ? '–' : '<span title="Not known yet">?</span>';
}

/** Says that a figure is only what is known so far. */
function more({ is_whole: isWhole }: Pick<ListedJob, 'is_whole'>): string {
  return isWhole ? '' : '<span title="More is not known yet">+</span>';
}

/** A duration without its smaller unit, which would not fit. */
function took(ms: number): string {
  return ms < 60_000 ? span(ms) : age(ms);
}

/** Why the job is where it is: what holds it, or who ended it and why. */
function because({ tombstone, held_by, error_code }: ListedJob): string {
  const text = tombstone
    ? [tombstone.actor && `${tombstone.actor}:`, tombstone.reason ?? tombstone.cause].filter(Boolean).join(' ')
    : (error_code ?? (held_by === null ? '' : `held: ${heldLaunches(held_by).replace(/^launches of /, '')}`));
  return text && html`<span title="${text}">${text}</span>`;
}

/** The first tag, and how many more there are. */
function tags(all: string[], link: Link): string {
  const [first, ...others] = all;
  if (first === undefined) return '';
  const more = others.length === 0 ? '' : html`<small title="${others.join(', ')}">+${others.length}</small>`;
  return html`<span class="tags"><a class="tag" href="${link({ tag: first })}" title="${first}">${first}</a>!${more}</span>`;
}
