import { counted, span, usd } from '../../shared/runtime/format.ts';
import { price } from '../../shared/runtime/prices.ts';
import type { PriceSettings } from '../../shared/runtime/setting-formats.ts';
import { table } from '../terminal/table.ts';
import { type Seen, shapeOf, type Trial } from './try-cancel.ts';

export interface TrialSummary {
  model: string;
  responses: number;
  created: number;
  /** Creates whose response was never seen and may run and be billed. */
  creates_unknown: number;
  cancelled: number;
  stayed_cancelled: number;
  came_back: number;
  /** Cancelled responses that no later read has shown. */
  not_seen_again: number;
  came_back_after_ms: (number | null)[];
  /** The tokens of the responses that showed a usage. The cost of the others is not known. */
  billed_tokens: number;
  billed_usd_micros: number;
  usage_unknown: number;
}

export function summaryOf(trials: Trial[], model: string, prices: PriceSettings): TrialSummary {
  const taken = trials.filter(({ cancel }) => cancel?.status === 'cancelled');
  const back = taken.filter(trial => trial.came_back_after_ms !== null);
  const stayed = taken.filter(trial => statusesOf(trial).at(-1) === 'cancelled');
  return {
    model,
    responses: trials.length,
    created: trials.filter(isCreated).length,
    creates_unknown: trials.filter(trial => trial.may_run_unseen).length,
    cancelled: taken.length,
    stayed_cancelled: stayed.length,
    came_back: back.length,
    not_seen_again: taken.length - stayed.length - back.length,
    came_back_after_ms: back.map(trial => trial.came_back_after_ms),
    billed_tokens: trials.reduce((sum, { usage }) => sum + (usage?.total_tokens ?? 0), 0),
    billed_usd_micros: trials.reduce((sum, trial) => sum + (costOf(trial, model, prices) ?? 0), 0),
    usage_unknown: trials.filter(trial => isCreated(trial) && !trial.usage).length,
  };
}

/** A table with one line for each response. It can be drawn while the trials go on. */
export function trialTable(trials: Trial[], model: string, prices: PriceSettings): string {
  return table(
    ['CANCELLED\nAFTER', 'CREATE', 'CANCEL', 'IT SAID', 'LAST\nREAD', 'CAME BACK\nAFTER', 'TOKENS', 'COST'],
    trials.map(trial => [
      span(trial.cancel_after_ms),
      codes(trial.create),
      codes(trial.cancel),
      trial.cancel?.status ?? '–',
      statusesOf(trial).at(-1) ?? '–',
      comeback(trial),
      String(trial.usage?.total_tokens ?? '–'),
      trial.usage ? usd(costOf(trial, model, prices)) : '–',
    ]),
  );
}

/** A table of the kinds of answers, and how many responses had each. */
export function answerTable(trials: Trial[]): string {
  const answers = {
    create: trials.map(({ create }) => (create ? [create] : [])),
    cancel: trials.map(({ cancel }) => (cancel ? [cancel] : [])),
    read: trials.map(({ reads }) => reads),
  };
  return table(
    ['ANSWER TO', 'HTTP', 'STATUS', 'USAGE', 'OUTPUT', 'RESPONSES', 'ERROR'],
    Object.entries(answers).flatMap(([call, ofEach]) =>
      kindsOf(ofEach).map(({ seen, responses }) => [
        call,
        seen.http === 0 ? 'none' : String(seen.http),
        seen.status ?? '–',
        seen.has_usage ? 'given' : 'null',
        seen.output_items > 0 ? 'some' : 'none',
        String(responses),
        seen.error?.message ?? '',
      ]),
    ),
  );
}

function kindsOf(answersOfEach: Seen[][]): { seen: Seen; responses: number }[] {
  const kinds = new Map<string, { seen: Seen; responses: number }>();
  for (const answers of answersOfEach)
    for (const [shape, seen] of new Map(answers.map(one => [shapeOf(one), one])))
      kinds.set(shape, { seen, responses: (kinds.get(shape)?.responses ?? 0) + 1 });
  return [...kinds.values()];
}

/** The result in words. `isWhole`: the watching was not ended early. */
export function trialSentence(summary: TrialSummary, isWhole: boolean): string {
  const { cancelled, responses, stayed_cancelled: stayed, came_back: back, not_seen_again: lost } = summary;
  const staying = isWhole ? 'stayed cancelled' : 'were still cancelled when you stopped';
  const unseen = lost > 0 ? `, ${lost} were not seen again` : '';
  const unknown = summary.usage_unknown > 0 ? `; ${summary.usage_unknown} never showed their usage` : '';
  const creates =
    summary.creates_unknown > 0
      ? ` ${counted(summary.creates_unknown, 'create')} may or may not have run, and their possible cost is not included.`
      : '';
  return `The provider said that it cancelled ${cancelled} of ${responses}. ${stayed} ${staying}, ${back} came back${unseen}. ${summary.billed_tokens} tokens were charged, ${usd(summary.billed_usd_micros)}${unknown}.${creates}`;
}

/** The HTTP status, with the provider's code if it is an error. */
function codes(seen: Seen | null): string {
  if (!seen) return '–';
  return [seen.http === 0 ? 'no answer' : seen.http, seen.error?.code].filter(Boolean).join(' ');
}

function comeback({ cancel, came_back_after_ms: afterMs }: Trial): string {
  if (cancel?.status !== 'cancelled') return '–';
  return afterMs === null ? 'no' : span(afterMs);
}

function statusesOf({ reads }: Trial): string[] {
  const statuses = reads.flatMap(({ status }) => status ?? []);
  return statuses.filter((status, position) => status !== statuses[position - 1]);
}

function costOf({ usage }: Trial, model: string, prices: PriceSettings): number | null {
  return usage && price({ model, servedModel: null, serviceTier: null, usage }, prices).costUsdMicros;
}

function isCreated({ response_id: responseId }: Trial): boolean {
  return responseId !== null;
}
