import { heldLaunches } from '../contract/holds.ts';
import type { Job } from '../contract/job.ts';
import type { LedgerRow } from '../contract/ledger.ts';
import { CLIENT_DISCONNECTED } from '../contract/words.ts';
import { counted, span, usd, whole } from './format.ts';

/** A job as its record shows it. The body of its result is not needed. */
type Told = Omit<Job, 'response'>;

/** What became of a job, or where it is, and what it has cost, in one or two sentences. `now` is Redis' time. */
export function outcomeSentence(job: Told, now: number): string {
  const took = span(Math.max(0, (job.decided_at ?? now) - job.created_at));
  switch (job.status) {
    case 'queued':
      return job.held_by === null
        ? `${waitingFor(job)} It was enqueued ${took} ago.`
        : `It is waiting, because ${heldLaunches(job.held_by)} are held.`;
    case 'launching':
      return job.launches.some(({ state }) => state === 'unknown')
        ? 'It was sent, but it is not yet known whether the provider accepted it. Headstone is waiting for the response’s id.'
        : 'It is being sent to the provider.';
    case 'running':
      return `The provider is working on it. It was enqueued ${took} ago.`;
    case 'completed':
      return `Completed in ${took}. ${priceSentence(job)}`;
    case 'incomplete':
      return `Ended as incomplete after ${took}: it has a result, but the result is cut short. ${priceSentence(job)}`;
    case 'failed':
      return [
        `Failed after ${took}: ${withStop(job.outcome?.error?.message ?? 'the provider did not say why')}`,
        ...priceOf(job),
      ].join(' ');
    case 'cancelled':
      return `Cancelled${whoAndWhy(job)}, ${took} after it was enqueued. ${priceSentence(job)}`;
    case 'expired':
      return `Passed its deadline after ${took}. ${priceSentence(job)}`;
  }
}

/** What a queued job waits for that no hold keeps back. */
function waitingFor({ launches }: Told): string {
  const last = launches.at(-1);
  return last?.state === 'refused'
    ? `The provider refused its launch (${last.code ?? 'without a code'}), and it is tried again by itself.`
    : 'It is waiting to be sent to the provider.';
}

/** The message of an unknown launch says already that it may have been charged. What other launches cost is not in it. */
function priceOf(job: Told): string[] {
  const isSaid = job.outcome?.error?.code === 'launch_unknown' && lostIn(job) === 1;
  return isSaid ? once(job.ledger.map(rowSentence)) : [priceSentence(job)];
}

/** How many creates have no known answer. */
function lostIn({ launches }: Told): number {
  return launches.filter(({ state }) => state === 'unknown').length;
}

/** How a job ended that shows no result, in words that follow its name. */
export function howRefused(status: string): string {
  return status === 'expired' ? 'expired' : 'was cancelled';
}

function whoAndWhy({ tombstone }: Told): string {
  if (tombstone?.reason === CLIENT_DISCONNECTED) return ' because its caller went away';
  const who = tombstone?.actor ? ` by ${tombstone.actor}` : '';
  return tombstone?.reason ? `${who} (“${tombstone.reason}”)` : who;
}

/** What the job has cost, as far as that is known. Unknown is never zero. */
export function priceSentence(job: Told): string {
  const { launches, ledger } = job;
  const lost = lostIn(job);
  const sentences = [
    lost > 0
      ? `The provider may have run and billed ${counted(lost, 'create')} whose response id never came back, so the cost is not known.`
      : '',
    ...ledger.map(rowSentence),
  ].filter(Boolean);
  if (sentences.length > 0) return once(sentences).join(' ');
  if (launches.some(({ state }) => state === 'intended'))
    return 'A create is on its way. What it costs is not known yet.';
  return 'Nothing ran, so nothing was charged.';
}

/** Several responses of a job often came to the same, which is said once. */
function once(sentences: string[]): string[] {
  const times = new Map<string, number>();
  for (const sentence of sentences) times.set(sentence, (times.get(sentence) ?? 0) + 1);
  return [...times].map(([sentence, count]) =>
    count === 1 ? sentence : sentence.replace(/\.(?= |$)/, ` (each of ${counted(count, 'response')}).`),
  );
}

function rowSentence(row: LedgerRow): string {
  const { kind, status, usage, cost_usd_micros: cost, upstream_status: upstream } = row;
  // The bound is far above what a response costs, and would only frighten.
  const guess = row.likely_cost_usd_micros ? `: about ${usd(row.likely_cost_usd_micros)}` : '';
  if (status === 'unknown') return `The provider never showed what it cost${guess}.`;
  if (usage === null || status === 'pending')
    return kind === 'wasted'
      ? `The provider may still charge for it${guess}. Headstone watches the response until its tokens are known.`
      : 'What it cost is not known yet.';
  const price = `${counted(usage.total_tokens, 'token')}, ${usd(cost)}`;
  if (kind !== 'wasted') return `It used ${price}.`;
  if (usage.total_tokens === 0) return 'The provider charged nothing.';
  return upstream === 'completed'
    ? `The provider finished it all the same. Wasted: ${price}.`
    : `Wasted: ${whole(usage.total_tokens)} tokens, ${usd(cost)}.`;
}

function withStop(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
