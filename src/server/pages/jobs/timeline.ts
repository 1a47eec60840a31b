import { html } from 'ghtml';
import type { Job } from '../../../shared/contract/job.ts';
import { CLIENT_DISCONNECTED } from '../../../shared/contract/words.ts';
import { span, usd, whole } from '../../../shared/runtime/format.ts';
import { moment } from '../parts.ts';

type Entry = Job['timeline'][number];

/** The timeline as markup, in the order in which the store wrote it. */
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

const acknowledged = (entry: Entry) => html`The provider accepted the launch as !${response(entry)}.`;
const unwanted = (entry: Entry) =>
  html`The response !${response(entry)} arrived after the job had ended (${text(entry.cause)}), so it is unwanted.`;
const rerun = ({ code }: Entry) => html`The job went back to the queue for another launch (${text(code)}).`;

const sentences: Record<string, (entry: Entry) => string> = {
  enqueued: () => 'Enqueued.',
  adopted: entry => html`The job adopted !${response(entry)}, which other code had created.`,
  launching: ({ epoch }) => html`Launching: intent ${text(epoch)} was written before the request was sent.`,
  launch_acknowledged: acknowledged,
  launch_unwanted: unwanted,
  launch_refused: ({ code }) => html`The provider refused the launch: ${text(code)}.`,
  launch_unknown: ({ code }) => html`It is unknown whether the provider accepted the launch (${text(code)}).`,
  rerun,
  completed: () => 'Completed.',
  incomplete: () => 'The job ended as incomplete. It has a result, and the provider charged for it.',
  failed: ({ code }) => html`Failed: ${text(code)}.`,
  expired: () => 'The job passed its deadline. No result will ever be shown.',
  cancelled: ({ actor, reason, key_name }) =>
    html`<strong>Cancelled</strong>!${by(actor)}!${because(reason)}!${key(key_name)}. No result will ever be shown.`,
  upstream_cancel_acknowledged: ({ upstream_status }) =>
    html`The provider accepted the cancel and answered <em>${text(upstream_status) || 'nothing'}</em>.`,
  upstream_cancel_too_late: () => 'The provider had already finished when our cancel came.',
  late_result_dropped: ({ upstream_status }) =>
    html`<strong>The provider finished the response all the same</strong> (<em>${text(upstream_status)}</em>). The late result was dropped.`,
  settled: ({ status, total_tokens, cost_usd_micros }) =>
    status === 'unknown'
      ? 'Settled. Its cost never became known.'
      : html`Settled: <strong>${whole(Number(total_tokens ?? 0))} tokens wasted</strong>, ${usd(numberOrNull(cost_usd_micros))}.`,
  callback_delivered: entry => html`Told the callback!${toldWhat(entry)}.`,
  callback_failed: entry =>
    html`The callback!${toldWhat(entry)} could not be delivered (${text(entry.code)}). It is tried again.`,
  callback_given_up: entry =>
    html`The callback!${toldWhat(entry)} was given up after ${text(entry.tries)} tries (${text(entry.code)}).`,
  callback_resent: () => 'Somebody asked that the callback be sent again.',
  result_deleted: () => 'The result was deleted by its owner.',
  // The version before wrote these words.
  launched: acknowledged,
  launched_unwanted: unwanted,
  queued_again: rerun,
};

/** An entry as a sentence. An entry of a newer version is shown by its name. */
function sentence(entry: Entry): string {
  return sentences[entry.event]?.(entry) ?? html`${entry.event}`;
}

function toldWhat({ about }: Entry): string {
  return text(about).startsWith('waste:') ? ' about the wasted tokens' : ' about the outcome';
}

function by(actor: unknown): string {
  return text(actor) === '' ? '' : html` by ${text(actor)}`;
}

function because(reason: unknown): string {
  if (reason === CLIENT_DISCONNECTED) return ', because its caller went away and did not come back';
  return text(reason) === '' ? '' : html`: “${text(reason)}”`;
}

function key(name: unknown): string {
  return text(name) === '' ? '' : html` <small>(key ${text(name)})</small>`;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
