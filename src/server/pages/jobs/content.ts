import { html } from 'ghtml';
import MarkdownIt from 'markdown-it';
import type { Job } from '../../../shared/contract/job.ts';
import { counted, whole } from '../../../shared/runtime/format.ts';
import { answerOf, promptOf, type ReadablePart } from '../../../shared/runtime/readable.ts';
import { isOpen } from '../parts.ts';

/** A page shows this much of a text, and of so many parts: a live page is made again each second. The API has all of it. */
const MOST_CHARACTERS = 20_000;
const MOST_PARTS = 20;

/** A model's text is not trusted: markup in it is shown as text, links lead nowhere dangerous, and no image is loaded. */
const markdown = new MarkdownIt({ html: false, linkify: false }).disable('image');

/** The prompt and the answer as people read them. Everyone who may see this page may also read them by the API. */
export function content(job: Job, request: Record<string, unknown>): string {
  const prompt = Object.keys(request).length === 0 ? '<p>The request is no longer kept.</p>' : shown(promptOf(request));
  // While it runs, the page shows the answer as it comes.
  return html`!${isOpen(job) ? '' : html`<section id="answer"><h2>Answer</h2>!${answer(job)}</section>`}
<section id="prompt"><h2>Prompt</h2>!${prompt}</section>`;
}

function answer(job: Job): string {
  if (!job.response) return html`<p>${noResult(job)}</p>`;
  const parts = answerOf(job.response);
  return parts.length === 0 ? '<p>The response has no output.</p>' : shown(parts);
}

/** A text up to what a page shows of it. */
export function beginningOf(text: string, most = MOST_CHARACTERS): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most).toWellFormed()}\n\n… and ${whole(text.length - most)} more characters, which the API has.`;
}

/** The first parts, until a page's worth of characters is shown. */
function shown(parts: ReadablePart[]): string {
  let left = MOST_CHARACTERS;
  const some = parts.slice(0, MOST_PARTS).map(one => {
    const markup = part({ ...one, text: beginningOf(one.text, Math.max(0, left)) });
    left -= one.text.length;
    return markup;
  });
  const others = parts.length - some.length;
  return others > 0
    ? html`!${some.join('')}<p>… and ${counted(others, 'more part')}, which the API has.</p>`
    : some.join('');
}

function part({ kind, title, text }: ReadablePart): string {
  const body =
    kind === 'note'
      ? html`<p class="faint">${text}</p>`
      : kind === 'data'
        ? html`<pre tabindex="0">${text}</pre>`
        : html`<div class="prose" tabindex="0">!${markdown.render(text)}</div>`;
  return html`<div class="said"><h3>${title}</h3>!${body}</div>`;
}

function noResult({ status, outcome, response_id: responseId }: Job): string {
  if (outcome === null) return 'There is no result yet.';
  if (outcome.result === 'deleted') return 'The result was deleted by its owner.';
  if (outcome.result === 'expired') return 'The result is no longer kept (HEADSTONE_RESULT_TTL_MS).';
  if (status !== 'failed') return 'This job has no result, and will never have one.';
  return responseId === null ? 'No result ever reached Headstone.' : 'The run failed.';
}
