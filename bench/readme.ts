import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Ratio } from './ratios.ts';
import { whereAndWhen } from './report.ts';

/** Writes the results of a run to the README of this folder, with the machine, the date and the commit. */
export function writeReadme(compared: Ratio[], jobs: number, rounds: number): void {
  const { date, commit, machine } = whereAndWhen();
  const rows = compared.map(
    ({ figure, min, median, max, headstone, opponent }) =>
      `| ${figure} | ${min.toFixed(2)} | **${median.toFixed(2)}** | ${max.toFixed(2)} | ${short(headstone)} | ${short(opponent)} |`,
  );
  writeFileSync(
    fileURLToPath(new URL('README.md', import.meta.url)),
    `# What Headstone costs

\`npm run bench\` runs Headstone and **hops** in turns, on one redis-server and against a provider that answers at once over HTTP.
Hops is BullMQ with the same two activations for each job and the SDK's own client. It makes no promise: it may pay twice after
a crash, it cannot cancel, and it books nothing. Each contestant has one worker process with 50 launches and 50 polls at once.

The ratios count, because the speed of a machine drifts. Each is Headstone's figure divided by that of hops in the same round.

| figure | least | median | most | Headstone | hops |
|---|---|---|---|---|---|
${rows.join('\n')}

${jobs.toLocaleString('en-US')} jobs, ${rounds} rounds, ${machine}, ${date}, commit ${commit}. The last two columns are medians.

| option | |
|---|---|
| \`--quick\` | one round of 200 jobs |
| \`--jobs N\`, \`--rounds N\` | other numbers than 2,000 and 5 |
| \`--json FILE\` | writes every figure of every round |
| \`--write\` | writes this file |

\`npm run bench:throughput\` measures each store without an opponent, \`npm run bench:cancellation\` a cancel of 100,000 jobs, and
\`npm run bench:stream-cancel\` how soon a cancel ends a stream.
`,
  );
}

export function short(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(2);
}
