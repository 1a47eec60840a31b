import type { Job } from '../contract/job.ts';
import { CLIENT_DISCONNECTED } from '../contract/words.ts';
import { counted, span, usd, whole } from './format.ts';

type Entry = Job['timeline'][number];

/** What happened, as a page and the command line tell it. */
export interface StoryLine {
  at: number;
  event: string;
  text: string;
  /** How often it happened in a row, and when for the last time. */
  times: number;
  lastAt: number;
}

/** The timeline in sentences, in the order in which the store wrote it. What was repeated is told once. */
export function tellStory(timeline: Entry[]): StoryLine[] {
  const lines: StoryLine[] = [];
  let before: Entry | undefined;
  for (const entry of withoutRepeatedRuns(withoutRefusedLaunches(timeline))) {
    const last = lines.at(-1);
    if (last && before && isRepeated(before, entry)) {
      last.times += 1;
      last.lastAt = entry.at;
    } else lines.push({ at: entry.at, event: entry.event, text: sentence(entry), times: 1, lastAt: entry.at });
    before = entry;
  }
  return lines;
}

/** A refusal says that the request was sent, so the line before it need not. */
function withoutRefusedLaunches(timeline: Entry[]): Entry[] {
  return timeline.filter(
    ({ event, epoch }, position) =>
      !(event === 'launching' && isRefusal(timeline[position + 1]) && timeline[position + 1]?.epoch === epoch),
  );
}

const ofRuns = new Set(['launching', 'launch_acknowledged', 'launched']);
const reruns = new Set(['rerun', 'queued_again']);

/** A run that failed as the one before did is told with that one, so its launch is left out. */
function withoutRepeatedRuns(timeline: Entry[]): Entry[] {
  const told: Entry[] = [];
  for (const entry of timeline) {
    const last = told.findLastIndex(({ event }) => !ofRuns.has(event));
    const before = told[last];
    if (reruns.has(entry.event) && before?.event === entry.event && before.code === entry.code) told.length = last + 1;
    told.push(entry);
  }
  return told;
}

function isRefusal(entry: Entry | undefined): boolean {
  return entry?.event === 'launch_refused';
}

const repeated = new Set(['launch_refused', 'rerun', 'queued_again', 'callback_failed', 'callback_resent']);

function isRepeated(before: Entry, after: Entry): boolean {
  const isSame = before.event === after.event && before.code === after.code;
  const isUnseen = after.event === 'settled' && before.status === 'unknown' && after.status === 'unknown';
  return isSame && (isUnseen || repeated.has(after.event));
}

const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

const acknowledged = (entry: Entry) => `The provider accepted the launch as ${text(entry.response_id)}.`;
const unwanted = (entry: Entry) =>
  `The response ${text(entry.response_id)} arrived after the job had ended (${text(entry.cause)}), so it is unwanted.`;
const rerun = ({ code }: Entry) =>
  `The run failed (${text(code)}), and the job went back to the queue for another launch.`;

const sentences: Record<string, (entry: Entry) => string> = {
  enqueued: () => 'Enqueued.',
  adopted: entry => `The job adopted ${text(entry.response_id)}, which other code had created.`,
  launching: () => 'Sent to the provider.',
  launch_acknowledged: acknowledged,
  launch_unwanted: unwanted,
  launch_refused: ({ code }) =>
    code === 'no_route'
      ? 'The provider could not be reached, so the launch was not sent.'
      : `The provider refused the launch: ${text(code)}.`,
  launch_unknown: ({ code }) => `It is unknown whether the provider accepted the launch (${text(code)}).`,
  rerun,
  completed: () => 'Completed.',
  incomplete: () => 'The job ended as incomplete. It has a result, and the provider charged for it.',
  failed: ({ code }) => `Failed: ${text(code)}.`,
  expired: () => 'The job passed its deadline. No result will ever be shown.',
  cancelled: ({ actor, reason, key_name }) =>
    `Cancelled${by(actor)}${because(reason)}${key(key_name)}. No result will ever be shown.`,
  upstream_cancel_acknowledged: ({ upstream_status }) =>
    `The provider accepted the cancel and answered ${text(upstream_status) || 'nothing'}.`,
  upstream_cancel_too_late: () => 'The provider had already finished when the cancel arrived.',
  late_result_dropped: ({ upstream_status }) =>
    `The provider finished the response all the same (${text(upstream_status)}). The late result was dropped.`,
  settled: ({ status, total_tokens, cost_usd_micros }) =>
    status === 'unknown'
      ? 'Headstone stopped watching the response. The provider never showed what it cost.'
      : `The charge is known: ${whole(Number(total_tokens ?? 0))} tokens wasted, ${usd(numberOrNull(cost_usd_micros))}.`,
  callback_delivered: entry => `Delivered the callback${toldWhat(entry)}.`,
  callback_failed: entry =>
    `The callback${toldWhat(entry)} could not be delivered (${text(entry.code)}). Headstone will try again.`,
  callback_given_up: entry =>
    `Headstone gave up on the callback${toldWhat(entry)} after ${counted(Number(entry.tries), 'try', 'tries')} (${text(entry.code)}).`,
  callback_resent: () => 'The callback was requested again.',
  result_deleted: () => 'The result was deleted by its owner.',
  // The version before wrote these words.
  launched: acknowledged,
  launched_unwanted: unwanted,
  queued_again: rerun,
};

/** An entry as a sentence. An entry of a newer version is shown by its name. */
export function sentence(entry: Entry): string {
  return sentences[entry.event]?.(entry) ?? entry.event;
}

/** `10 times within 9.0 s`; empty for what happened once. */
export function repetition({ times, at, lastAt }: StoryLine): string {
  return times === 1 ? '' : `${whole(times)} times within ${span(lastAt - at)}`;
}

function toldWhat({ about }: Entry): string {
  return text(about).startsWith('waste:') ? ' about the wasted tokens' : ' about the outcome';
}

function by(actor: unknown): string {
  return text(actor) === '' ? '' : ` by ${text(actor)}`;
}

function because(reason: unknown): string {
  if (reason === CLIENT_DISCONNECTED) return ', because its caller went away and did not come back';
  return text(reason) === '' ? '' : `: “${text(reason)}”`;
}

function key(name: unknown): string {
  return text(name) === '' ? '' : ` (key ${text(name)})`;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
