import { html } from 'ghtml';
import MarkdownIt from 'markdown-it';
import type { Job } from '../../../shared/contract/job.ts';
import { answerOf, promptOf, type ReadablePart } from '../../../shared/runtime/readable.ts';

/** Longer texts are shown as they are, because nobody reads that much Markdown in a page. */
const LONGEST_MARKDOWN = 100_000;

/** A model's text is not trusted: markup in it is shown as text, links lead nowhere dangerous, and no image is loaded. */
const markdown = new MarkdownIt({ html: false, linkify: false }).disable('image');

/** The prompt and the answer as people read them. Everyone who may see this page may also read them by the API. */
export function content(job: Job, request: Record<string, unknown>): string {
  const prompt =
    Object.keys(request).length === 0 ? '<p>The request is no longer kept.</p>' : promptOf(request).map(part).join('');
  return html`<section id="answer"><h2>Answer</h2>!${answer(job)}</section>
<section id="prompt"><h2>Prompt</h2>!${prompt}</section>`;
}

function answer(job: Job): string {
  if (!job.response) return html`<p>${noResult(job)}</p>`;
  const parts = answerOf(job.response);
  return parts.length === 0 ? '<p>The response has no output.</p>' : parts.map(part).join('');
}

function part({ kind, title, text }: ReadablePart): string {
  const shown =
    kind === 'note'
      ? html`<p class="faint">${text}</p>`
      : kind === 'data' || text.length > LONGEST_MARKDOWN
        ? html`<pre tabindex="0">${text}</pre>`
        : html`<div class="prose" tabindex="0">!${markdown.render(text)}</div>`;
  return html`<div class="said"><h3>${title}</h3>!${shown}</div>`;
}

function noResult({ status, outcome }: Job): string {
  if (outcome === null) return 'There is no result yet.';
  if (outcome.result === 'deleted') return 'The result was deleted by its owner.';
  if (outcome.result === 'expired') return 'The result is no longer kept (HEADSTONE_RESULT_TTL_MS).';
  return status === 'failed' ? 'The run failed.' : 'This job has no result, and will never have one.';
}
