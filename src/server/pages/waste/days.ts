import type { WasteSum } from '../../../shared/contract/ledger.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;

/** Each day of a period with its sum, so that a day without any booking is a day in a chart, too. By default the last 30. */
export function everyDay(
  sums: WasteSum[],
  { since, until }: { since?: string | undefined; until?: string | undefined } = {},
  now = Date.now(),
): { day: string; sum: WasteSum | undefined }[] {
  const byDay = new Map(sums.map(sum => [sum.key, sum]));
  const last = Date.parse(until ?? new Date(now).toISOString().slice(0, 10));
  const first = since === undefined ? last - (DEFAULT_DAYS - 1) * DAY_MS : Date.parse(since);
  const days: { day: string; sum: WasteSum | undefined }[] = [];
  for (let at = first; at <= last; at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    days.push({ day, sum: byDay.get(day) });
  }
  return days;
}
