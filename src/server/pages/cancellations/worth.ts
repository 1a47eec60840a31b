import type { Cancellation } from '../../../shared/contract/cancellation.ts';
import type { WasteSum } from '../../../shared/contract/ledger.ts';
import { counted, usd, whole } from '../../../shared/runtime/format.ts';
import { averageOf, nothingKnown, notKnown, wastedCost } from '../../../shared/runtime/waste-words.ts';

/** The average cost of a response by model, in millionths of a dollar. */
export type Averages = Map<string, number>;

export function averagesOf(models: WasteSum[]): Averages {
  return new Map(
    models.flatMap(model => {
      const cost = averageOf(model)?.cost ?? null;
      return cost === null ? [] : [[model.key, cost] as const];
    }),
  );
}

/** How many of the cancelled jobs waited for their launch; null if that was not counted. */
function sparedJobs({ spared_by_model: spared }: Cancellation): number | null {
  return spared && Object.values(spared).reduce((sum, count) => sum + count, 0);
}

/** What a cancellation saved: the launches for which its jobs waited, at the average cost of their models. */
export function savedBy(cancellation: Cancellation, averages: Averages): string {
  const jobs = sparedJobs(cancellation);
  if (jobs === null) return 'not known';
  if (jobs === 0) return cancellation.cancelled === 0 ? 'nothing' : 'nothing: all had been launched';
  const known = Object.entries(cancellation.spared_by_model ?? {}).filter(([model]) => averages.has(model));
  const priced = known.reduce((sum, [, count]) => sum + count, 0);
  if (priced === 0) return `the cost of ${counted(jobs, 'job')}, which is not known`;
  const micros = known.reduce((sum, [model, count]) => sum + count * (averages.get(model) ?? 0), 0);
  return `about ${usd(Math.round(micros))}, ${priced < jobs ? `${whole(priced)} of ` : ''}${counted(jobs, 'job')}`;
}

/** What the cancelled jobs were charged all the same, as far as that is known. Unknown is never nothing. */
export function wastedBy(cancellation: Cancellation, sum: WasteSum | undefined): string {
  const spared = sparedJobs(cancellation);
  const sent = spared === null ? null : cancellation.cancelled - spared;
  if (!sum) return sent === 0 ? 'nothing' : 'not known';
  // A job that was sent and has no row yet may still get one.
  const unseen = Math.max(0, (sent ?? 0) - sum.responses);
  const cost = wastedCost(sum);
  // Nothing is charged yet, as far as anybody knows, so an estimate must not read like a bill.
  const known = nothingKnown(sum) && !cost.startsWith('not known') ? `${notKnown(sum)}, ${cost}` : cost;
  return `${known}, ${counted(sum.responses, 'response')}${unseen > 0 ? `, ${unseen} not known` : ''}`;
}
