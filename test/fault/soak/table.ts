import type { SoakReport } from './soak.ts';

/** Each interesting case happens this often in a long run. */
const ENOUGH = 30;
/** Shorter runs show less, and are not blamed for it. */
const LONG_MINUTES = 10;

/** The report as a table in Markdown, which reads well on a terminal too. */
export function tableOf(report: SoakReport): string {
  const { minutes, rate, seed, jobs, answers, violations, endedAfterMs, bytesPerJob } = report;
  const rows = [
    ['jobs', `${count(jobs)} in ${minutes} min, at a target of ${rate} a second`],
    ['ways', list(report.ordered)],
    ['blows', list(report.blows)],
    ['cases', list(report.cases)],
    ['failed jobs', list(report.failures)],
    ['answers in the history', count(answers)],
    ['violations', String(violations.length)],
    ['users without an answer after two minutes', count(report.gaveUp.length)],
    ['all ended', endedAfterMs === null ? 'no' : `${(endedAfterMs / 1000).toFixed(1)} s after the last blow`],
    ['Redis', `${count(bytesPerJob)} bytes a job`],
    ['bound', `if no violation was seen: fewer than 1 in ${count(Math.floor(jobs / 3))} jobs, with 95 % confidence`],
    ['seed', String(seed)],
  ];
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}

/** Why a run has shown nothing: a short one if nothing happened at all, a long one if a case was rare. */
export function shortcomingsOf({ minutes, cases, jobs, blows }: SoakReport): string[] {
  const struck = Object.values(blows).reduce((sum, times) => sum + times, 0);
  if (jobs === 0 || struck === 0) return [`There were ${jobs} jobs and ${struck} blows, which shows nothing.`];
  if (minutes < LONG_MINUTES) return [];
  return Object.entries(cases).flatMap(([name, times]) =>
    times < ENOUGH ? [`"${name}" happened ${times} times, and less than ${ENOUGH} times shows nothing.`] : [],
  );
}

const count = (number: number) => number.toLocaleString('en-US');
const list = (counts: Record<string, number>) =>
  Object.entries(counts)
    .map(([name, number]) => `${name} ${count(number)}`)
    .join(', ');
