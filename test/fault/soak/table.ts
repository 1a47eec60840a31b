import type { SoakReport } from './soak.ts';

/** Each interesting case happens this often in a long run, or the run has shown nothing. */
export const ENOUGH = 30;

/** The report as a table in Markdown, which reads well on a terminal too. */
export function tableOf(report: SoakReport): string {
  const { minutes, rate, seed, jobs, answers, violations, endedAfterMs, bytesPerJob } = report;
  const rows = [
    ['jobs', `${count(jobs)} in ${minutes} min, ${rate} a second ordered`],
    ['ways', list(report.ordered)],
    ['blows', list(report.blows)],
    ['cases', list(report.cases)],
    ['failed jobs', list(report.failures)],
    ['answers in the history', count(answers)],
    ['violations', String(violations.length)],
    ['users without an answer after two minutes', count(report.gaveUp.length)],
    ['all ended', endedAfterMs === null ? 'no' : `${(endedAfterMs / 1000).toFixed(1)} s after the last blow`],
    ['Redis', `${count(bytesPerJob)} bytes a job`],
    ['bound', `with 95 % confidence fewer than 1 violation in ${count(Math.floor(jobs / 3))} jobs, if there is none`],
    ['seed', String(seed)],
  ];
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}

/** The cases that did not happen often enough. */
export function rareIn({ cases }: SoakReport, enough: number): string[] {
  return Object.entries(cases).flatMap(([name, times]) =>
    times < enough ? [`"${name}" happened ${times} times, and less than ${enough} times shows nothing.`] : [],
  );
}

const count = (number: number) => number.toLocaleString('en-US');
const list = (counts: Record<string, number>) =>
  Object.entries(counts)
    .map(([name, number]) => `${name} ${count(number)}`)
    .join(', ');
