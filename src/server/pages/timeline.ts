import { html } from 'ghtml';
import type { Job } from '../../shared/contract/job.ts';
import { span, usd, whole } from '../../shared/runtime/format.ts';
import { moment } from './parts.ts';

type Entry = Job['timeline'][number];

/** What happened, in the order in which the store wrote it, as markup. */
export function timeline(entries: Entry[]): string {
  const first = entries[0]?.at ?? 0;
  const items = entries.map(
    entry => html`<li class="${entry.event}">
!${moment(entry.at)} <small>+${span(entry.at - first)}</small>
<p>!${sentence(entry)}</p>
</li>`,
  );
  return html`<ol class="timeline">!${items.join('\n')}</ol>`;
}

const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const response = ({ response_id }: Entry) => html`<code>${text(response_id)}</code>`;

const sentences: Record<string, (entry: Entry) => string> = {
  enqueued: () => 'Enqueued.',
  adopted: entry => html`Adopted: !${response(entry)} was created elsewhere, and is guarded from here on.`,
  launching: ({ epoch }) => html`Launching: intent ${text(epoch)} was written before the request went out.`,
  launched: entry => html`Launched as !${response(entry)}.`,
  launched_unwanted: entry =>
    html`A response turned up that nobody wants any more: !${response(entry)} (${text(entry.cause)}).`,
  launch_refused: ({ code }) => html`The provider refused the launch: ${text(code)}.`,
  launch_unknown: ({ code }) => html`Whether the provider took the launch is unknown: ${text(code)}.`,
  queued_again: ({ code }) => html`Back in the queue: ${text(code)}.`,
  completed: () => 'Completed.',
  incomplete: () => 'Ended incomplete: it is a result, and paid for.',
  failed: ({ code }) => html`Failed: ${text(code)}.`,
  expired: () => 'Passed its deadline. No result will be shown any more.',
  cancelled: ({ actor, reason, key_name }) =>
    html`<strong>Cancelled</strong>!${by(actor)}!${because(reason)}!${key(key_name)}. No result will be shown any more.`,
  upstream_cancel_acknowledged: ({ upstream_status }) =>
    html`The provider took our cancel, and said <em>${text(upstream_status) || 'nothing'}</em>.`,
  late_result_dropped: ({ upstream_status }) =>
    html`<strong>The provider finished it all the same</strong> (<em>${text(upstream_status)}</em>). The late result was dropped.`,
  settled: ({ status, total_tokens, cost_usd_micros }) =>
    status === 'unknown'
      ? 'Settled: what it cost never became known.'
      : html`Settled: <strong>${whole(Number(total_tokens ?? 0))} tokens wasted</strong>, ${usd(numberOrNull(cost_usd_micros))}.`,
  result_deleted: () => 'The result was deleted by its owner.',
};

/** An event of a newer version is shown by its name. */
function sentence(entry: Entry): string {
  return sentences[entry.event]?.(entry) ?? html`${entry.event}`;
}

function by(actor: unknown): string {
  return text(actor) === '' ? '' : html` by ${text(actor)}`;
}

function because(reason: unknown): string {
  return text(reason) === '' ? '' : html`: “${text(reason)}”`;
}

function key(name: unknown): string {
  return text(name) === '' ? '' : html` <small>(key ${text(name)})</small>`;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
