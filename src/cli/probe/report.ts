import { counted, span, usd } from '../../shared/runtime/format.ts';
import { price } from '../../shared/runtime/prices.ts';
import type { PriceSettings } from '../../shared/runtime/setting-formats.ts';
import { table } from '../output.ts';
import { type Look, shapeOf, type Trial } from './try-cancel.ts';

export interface TrialSummary {
  model: string;
  responses: number;
  created: number;
  /** Creates whose response may run and be billed, and was never seen. */
  creates_unknown: number;
  cancelled: number;
  stayed_cancelled: number;
  came_back: number;
  /** Of those that were cancelled: no read has shown them afterwards. */
  not_seen_again: number;
  came_back_after_ms: (number | null)[];
  /** Of those that showed a usage; what the others cost is not known. */
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

/** One line a response, also while it goes on. */
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

/** What the answers looked like: each kind once, and how many of the responses had it. */
export function answerTable(trials: Trial[]): string {
  const looks = {
    create: trials.map(({ create }) => (create ? [create] : [])),
    cancel: trials.map(({ cancel }) => (cancel ? [cancel] : [])),
    read: trials.map(({ reads }) => reads),
  };
  return table(
    ['ANSWER TO', 'HTTP', 'STATUS', 'USAGE', 'OUTPUT', 'RESPONSES', 'ERROR'],
    Object.entries(looks).flatMap(([call, ofEach]) =>
      kindsOf(ofEach).map(({ look, responses }) => [
        call,
        look.http === 0 ? 'none' : String(look.http),
        look.status ?? '–',
        look.has_usage ? 'given' : 'null',
        look.output_items > 0 ? 'some' : 'none',
        String(responses),
        look.error?.message ?? '',
      ]),
    ),
  );
}

function kindsOf(looksOfEach: Look[][]): { look: Look; responses: number }[] {
  const kinds = new Map<string, { look: Look; responses: number }>();
  for (const looks of looksOfEach)
    for (const [shape, look] of new Map(looks.map(one => [shapeOf(one), one])))
      kinds.set(shape, { look, responses: (kinds.get(shape)?.responses ?? 0) + 1 });
  return [...kinds.values()];
}

/** `isWhole`: nobody ended the watching before its time. */
export function trialSentence(summary: TrialSummary, isWhole: boolean): string {
  const { cancelled, responses, stayed_cancelled: stayed, came_back: back, not_seen_again: lost } = summary;
  const staying = isWhole ? 'stayed so' : 'were still so when you stopped';
  const unseen = lost > 0 ? `, ${lost} were not seen again` : '';
  const unknown = summary.usage_unknown > 0 ? `; ${summary.usage_unknown} never showed a usage` : '';
  const creates =
    summary.creates_unknown > 0
      ? ` ${counted(summary.creates_unknown, 'create')} had no certain end: what that may have cost is in no figure here.`
      : '';
  return `${cancelled} of ${responses} were cancelled by the provider's word; ${stayed} ${staying}, ${back} came back${unseen}. ${summary.billed_tokens} tokens were charged, ${usd(summary.billed_usd_micros)}${unknown}.${creates}`;
}

/** The HTTP status, and the provider's own code where it is an error. */
function codes(look: Look | null): string {
  if (!look) return '–';
  return [look.http === 0 ? 'no answer' : look.http, look.error?.code].filter(Boolean).join(' ');
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
