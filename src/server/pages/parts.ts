import { html } from 'ghtml';
import { shownId } from '../../producer/response-body.ts';
import type { Job, JobSummary } from '../../shared/contract/job.ts';
import type { Verdict } from '../../shared/contract/words.ts';
import { age, span, time as timeText } from '../../shared/runtime/format.ts';

const DAY_MS = 86_400_000;

/** A status as a word, with a colour. */
export function badge(status: string): string {
  return html`<span class="badge ${status}">${status}</span>`;
}

/** How long ago something was, or its day if that is longer ago than one; on hover the time in UTC. */
export function moment(ms: number | null, now = Date.now()): string {
  if (ms === null) return '–';
  const past = now - ms;
  const text = timeText(ms);
  const shown =
    Math.abs(past) >= DAY_MS
      ? `${text.slice(0, 16)} UTC`
      : past < 0
        ? `in ${span(-past)}`
        : past < 1000
          ? 'just now'
          : `${age(past)} ago`;
  return timeTag(ms, shown);
}

/** A time as some text, with the time in UTC on hover, and exactly for machines. */
export function timeTag(ms: number, shown: string): string {
  const text = timeText(ms);
  return html`<time datetime="${new Date(ms).toISOString()}" title="${text.replace('Z', ' UTC')}">${shown}</time>`;
}

/** The first characters of a long id. They are enough to find it. */
export function shortId(id: string): string {
  return id.length <= 16 ? id : `${id.slice(0, 13)}…`;
}

export function jobLink(job: Pick<JobSummary, 'id' | 'chosen_id'>): string {
  const id = shownId(job);
  return html`<a href="/jobs/${job.id}" title="${id}"><code>${shortId(id)}</code></a>!${copyButton(id, 'the id')}`;
}

const copyIcon =
  '<svg width="14" height="14" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true"><rect x="5.5" y="5.5" width="8" height="9" rx="1.5"/><path d="M3.5 10.5h-1v-9h8v2"/></svg>';

/** Copies a text. It can be skipped by keyboard, because the page of what it copies has it too. */
export function copyButton(text: string, name: string): string {
  return html`<button type="button" class="copy" data-copy="${text}" aria-label="Copy ${name}" title="Copy ${name}" tabindex="-1" hidden>!${copyIcon}</button>`;
}

export function tagList(tags: string[]): string {
  return tags.map(tag => html`<a class="tag" href="/jobs?tag=${encodeURIComponent(tag)}">${tag}</a>`).join(' ');
}

export interface Column {
  /** Markup. */
  name: string;
  numeric?: boolean;
  /** True for texts of any length. */
  wraps?: boolean;
  /** A class of its cells. */
  kind?: string;
}

/** A table that scrolls on a narrow screen and can be reached by keyboard. Cells are markup. */
export function table(caption: string, columns: Column[], rows: string[][], rowIds: string[] = []): string {
  const kinds = columns.map(({ numeric, wraps, kind }) =>
    [numeric && 'num', wraps && 'wraps', kind].filter(Boolean).join(' '),
  );
  const head = columns.map(({ name }, index) => html`<th scope="col" class="${kinds[index]}">!${name}</th>`);
  const body = rows.map(
    (cells, row) =>
      html`<tr !${rowIds[row] === undefined ? '' : html`id="row-${rowIds[row]}"`}>!${cells.map((cell, index) => html`<td class="${kinds[index]}!${cell === '–' ? ' none' : ''}">!${cell}</td>`).join('')}</tr>`,
  );
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table>
<caption class="unseen">${caption}</caption>
<thead><tr>!${head.join('')}</tr></thead>
<tbody>
!${body.join('\n')}
</tbody>
</table></div>`;
}

/** A list of facts, each a name and its markup. */
export function facts(entries: [string, string][]): string {
  return html`<dl class="facts">!${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>!${value}</dd></div>`).join('\n')}</dl>`;
}

export function isOpen({ status }: Job | JobSummary): boolean {
  return status === 'queued' || status === 'launching' || status === 'running';
}

/** A link to the same page with another query. Fields that are undefined or empty are left out. */
export function pathOf(path: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

/** What a verdict means, for the person who cancelled. */
export const verdictSentences: Record<Verdict, string> = {
  cancelled: 'Cancelled. No result of this job will ever be shown, whatever the provider does.',
  already_cancelled: 'This job had already been cancelled.',
  already_completed: 'Too late. The job had already completed.',
  already_incomplete: 'Too late. The job had already ended as incomplete.',
  already_failed: 'Too late. The job had already failed.',
  already_expired: 'Too late. The job had already passed its deadline.',
  not_found: 'There is no such job.',
};
