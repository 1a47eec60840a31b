import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Finding } from './ratios.ts';
import { whereAndWhen } from './report.ts';
import type { Scenario } from './scenario.ts';

/** Writes the results of a run to the README of this folder, with the machine, the date and the commit. */
export function writeReadme(
  found: Finding[],
  scenarios: Scenario[],
  { jobs, rounds }: { jobs: number; rounds: number },
) {
  const { date, commit, machine } = whereAndWhen();
  const parts = scenarios.flatMap(({ name, about }) => {
    const rows = found.filter(({ scenario }) => scenario === name).map(rowOf);
    return rows.length === 0 ? [] : [`## ${name}\n\n${about}\n\n${head}\n${rows.join('\n')}\n`];
  });
  writeFileSync(
    fileURLToPath(new URL('README.md', import.meta.url)),
    `# What Headstone costs

\`npm run bench\` runs Headstone and its opponents in turns, on one redis-server and against a provider that answers at once over
HTTP. The opponents make no promise: they may pay twice after a crash, they cannot cancel, they keep no result, and they book
nothing.

- **hops**: BullMQ with the same two activations for each job, and the SDK's own client.
- **hops, our client**: the same with the client that Headstone's worker has.
- **pg-boss**: the same two activations on PostgreSQL, where it is on the PATH.
- **naive**: a BullMQ worker that holds its slot and reads every two seconds.

The ratios count, because the speed of a machine drifts: each is Headstone's figure divided by the other's in the same round.
The figures are medians.

${parts.join('\n')}
${jobs.toLocaleString('en-US')} jobs, ${rounds} rounds, ${machine}, ${date}, commit ${commit}.

| option | |
|---|---|
| \`--quick\` | one round of 200 jobs, without what takes minutes |
| \`--only NAMES\` | only these parts |
| \`--jobs N\`, \`--rounds N\` | other numbers than 2,000 and 5 |
| \`--json FILE\` | writes every figure |
| \`--write\` | writes this file |

\`npm run bench:throughput\` measures each store without an opponent, \`npm run bench:cancellation\` a cancel of 100,000 jobs, and
\`npm run bench:stream-cancel\` how soon a cancel ends a stream.
`,
  );
}

const head = '| figure | Headstone | other | least | median | most | goal |\n|---|---|---|---|---|---|---|';

function rowOf({ figure, ours, against, goal = '' }: Finding): string {
  const cells = against
    ? [
        `${short(against.theirs)} (${against.name})`,
        against.min.toFixed(2),
        `**${against.median.toFixed(2)}**`,
        against.max.toFixed(2),
      ]
    : ['', '', '', ''];
  return `| ${[figure, short(ours), ...cells, goal].join(' | ')} |`;
}

export function short(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(2);
}
