import { html } from 'ghtml';
import { shownId } from '../../producer/response-body.ts';
import type { Job, JobSummary } from '../../shared/contract/job.ts';
import type { Verdict } from '../../shared/contract/words.ts';
import { time as timeText } from '../../shared/runtime/format.ts';

/** A status as a word, with a colour. */
export function badge(status: string): string {
  return html`<span class="badge ${status}">${status}</span>`;
}

/** A time in UTC, to the second for people and exactly for machines. */
export function moment(ms: number | null): string {
  if (ms === null) return '–';
  const text = timeText(ms);
  return html`<time datetime="${new Date(ms).toISOString()}" title="${text}">${text.slice(0, 19)}</time>`;
}

export function jobLink(job: Pick<JobSummary, 'id' | 'chosen_id'>): string {
  return html`<a href="/jobs/${job.id}"><code>${shownId(job)}</code></a>`;
}

export function tagList(tags: string[]): string {
  return tags.map(tag => html`<a class="tag" href="/jobs?tag=${encodeURIComponent(tag)}">${tag}</a>`).join(' ');
}

export interface Column {
  name: string;
  numeric?: boolean;
  /** True for texts of any length. */
  wraps?: boolean;
}

/** A table that scrolls on a narrow screen and can be reached by keyboard. Cells are markup. */
export function table(caption: string, columns: Column[], rows: string[][]): string {
  const alignment = (index: number) => (columns[index]?.numeric ? 'num' : columns[index]?.wraps ? 'wraps' : '');
  const head = columns.map(({ name }, index) => html`<th scope="col" class="${alignment(index)}">!${name}</th>`);
  const body = rows.map(
    cells => `<tr>${cells.map((cell, index) => html`<td class="${alignment(index)}">!${cell}</td>`).join('')}</tr>`,
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

/** What a verdict means, for the person who cancelled. */
export const verdictSentences: Record<Verdict, string> = {
  cancelled: 'Cancelled. No result of this job will ever be shown, whatever the provider does.',
  already_cancelled: 'This job was cancelled before.',
  already_completed: 'Too late. The job had completed.',
  already_incomplete: 'Too late. The job had ended as incomplete.',
  already_failed: 'Too late. The job had failed.',
  already_expired: 'The job had passed its deadline before.',
  not_found: 'There is no such job.',
};
