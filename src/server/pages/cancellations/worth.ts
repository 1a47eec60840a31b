import type { Cancellation } from '../../../shared/contract/cancellation.ts';
import type { WasteSum } from '../../../shared/contract/ledger.ts';
import { counted, usd } from '../../../shared/runtime/format.ts';
import { averageOf } from '../../../shared/runtime/waste-words.ts';
import { costOf } from '../waste/sums.ts';

/** The average cost of a response by model, in millionths of a dollar. */
export type Averages = Map<string, number>;

export function averagesOf(models: WasteSum[]): Averages {
  return new Map(
    models.flatMap(model => {
      const average = averageOf(model);
      return average ? [[model.key, average.cost] as const] : [];
    }),
  );
}

/** What a cancellation saved: jobs that were never sent, at the average cost of their models. */
export function savedBy({ spared_by_model: spared }: Cancellation, averages: Averages): string {
  const jobs = Object.values(spared).reduce((sum, count) => sum + count, 0);
  if (jobs === 0) return 'nothing: all had been sent';
  const known = Object.entries(spared).filter(([model]) => averages.has(model));
  const micros = known.reduce((sum, [model, count]) => sum + count * (averages.get(model) ?? 0), 0);
  return known.length === 0 ? counted(jobs, 'job') : `about ${usd(Math.round(micros))}, ${counted(jobs, 'job')}`;
}

/** What the cancelled jobs were charged all the same, as far as that is known. */
export function wastedBy(sum: WasteSum | undefined): string {
  if (!sum) return 'nothing';
  return `${costOf(sum)}, ${counted(sum.responses, 'response')}`;
}
