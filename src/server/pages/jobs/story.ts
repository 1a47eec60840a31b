import { html } from 'ghtml';
import type { Job } from '../../../shared/contract/job.ts';
import { span } from '../../../shared/runtime/format.ts';
import { type Phase, phasesOf } from '../../../shared/runtime/phases.ts';
import { repetition, type StoryLine, tellStory } from '../../../shared/runtime/story.ts';
import { timeTag } from '../parts.ts';

/** What happened, in order. Each line says how long after the first it was. */
export function storyList(job: Job): string {
  const lines = tellStory(job.timeline);
  const first = lines[0]?.at ?? 0;
  return html`<ol class="timeline">!${lines.map(line => item(line, first)).join('\n')}</ol>`;
}

function item(line: StoryLine, first: number): string {
  const { at, event, text } = line;
  const again = repetition(line);
  return html`<li class="${event}">!${timeTag(at, at === first ? startOf(at) : `+${span(at - first)}`)}
<p>${text}!${again === '' ? '' : html` <strong>${again}.</strong>`}</p></li>`;
}

function startOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const meanings: Record<Phase, string> = {
  queued: 'queued',
  launching: 'being sent',
  running: 'running at the provider',
  watched: 'watched after its end',
};

/** No part is thinner than this, in percent, or nobody would see it. */
const LEAST_WIDTH = 0.6;

/** A bar of the phases of a job by their length, and a legend with the figures. */
export function phasesBar(job: Job, now: number): string {
  const spans = phasesOf(job, now);
  const total = spans.reduce((sum, { ms }) => sum + ms, 0);
  if (total === 0) return '';
  const widths = spans.map(({ ms }) => Math.max(LEAST_WIDTH, (100 * ms) / total));
  const scale = 100 / widths.reduce((sum, width) => sum + width, 0);
  let x = 0;
  const bars = spans.map(({ phase }, position) => {
    const width = (widths[position] ?? 0) * scale;
    const bar = html`<rect class="${phase}" x="${x.toFixed(2)}" y="0" width="${width.toFixed(2)}" height="1"/>`;
    x += width;
    return bar;
  });
  const sums = new Map<Phase, number>();
  for (const { phase, ms } of spans) sums.set(phase, (sums.get(phase) ?? 0) + ms);
  const said = [...sums].map(([phase, ms]) => `${meanings[phase]} ${span(ms)}`);
  const legend = [...sums].map(
    ([phase, ms]) => html`<li class="${phase}"><span>${meanings[phase]} ${span(ms)}</span></li>`,
  );
  return html`<svg class="phases" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label="${said.join(', ')}">!${bars.join('')}</svg>
<ul class="legend">!${legend.join('')}</ul>`;
}
