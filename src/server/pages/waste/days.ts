import type { WasteSum } from '../../../shared/contract/ledger.ts';
import { daysOf } from '../../../shared/store/waste.ts';

interface Days {
  since?: string | undefined;
  until?: string | undefined;
}

/** Each day of a period with its sum, so that a day without any booking is a day in a chart, too. By default the last 30. */
export function everyDay(sums: WasteSum[], days: Days, now: number): { day: string; sum: WasteSum | undefined }[] {
  const byDay = new Map(sums.map(sum => [sum.key, sum]));
  return daysOf(days, now).map(day => ({ day, sum: byDay.get(day) }));
}

/** The period with its first and its last day named, so that a link shows what its sum counts and nothing older. */
export function named<Given extends Days & { tenant: string | undefined }>(period: Given, now: number) {
  const days = daysOf(period, now);
  return { ...period, since: days[0] ?? '', until: days.at(-1) ?? '' };
}
