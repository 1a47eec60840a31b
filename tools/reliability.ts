import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { whereAndWhen } from '../bench/report.ts';
import type { Finding } from '../test/fault/form.ts';
import type { SoakReport } from '../test/fault/soak/soak.ts';
import { tableOf } from '../test/fault/soak/table.ts';
import { root } from './run-file.ts';
import type { SuiteResult } from './suite.ts';

const introduction = `# What was broken, and what held

\`npm run test:fault\` breaks Headstone on purpose, and then compares everything that is on record with an independent ledger:
the simulated provider writes down each create that it was sent and every token that it would charge. A **violation** is anything
that one of the promises I1 to I8 and I10 forbids ([invariants.md](invariants.md)): a cancelled job that shows a result, a second
outcome, a row that is missing or differs by one token, a launch that nobody asked for, a job that does not end, an entry that is
left behind.

- **Crash points.** A step is what others can see of a process: a command that changes Redis, or a call to the provider. Workers and
  servers are real processes, and each is killed with SIGKILL before and after each of its steps, in scenes that cover what users do:
  plain, cancelled and flipping jobs, streams, reruns, holds, callbacks, adoption, lanes, upgraded creates, webhooks, bulk cancels. The
  product has no code for this: the test loads a module into the process that recognizes the steps.
- **Lost answers.** A proxy reads Redis' protocol. It lets a command through and breaks the connection instead of its answer.
- **Outages.** Redis is stopped, made a replica, out of memory, on a full disk; a worker is stopped and wakes; a connection is cut,
  falls silent, or is half open.
- **Failovers.** By hand, by Sentinels and in a cluster: jobs are cancelled and results are read, the replica is cut off, and then the
  primary is killed and the replica takes over. A violation is an acknowledged cancel or a delivered result that the heir does not know.
- **Late flips.** Cancelled responses are completed up to fifteen minutes later, by a provider whose time runs faster.
`;

const about = `Six workers and two servers of four lanes are under load. Each second one of them is killed, asked to stop, stopped and woken, or cut off
from Redis for up to six seconds. Jobs come by the library, over HTTP, as upgraded creates, as streams and by adoption; a fifth is
cancelled, and some of those flip. Readers and writers note what they were told and when. Afterwards a checker looks for an order of
events that explains every answer: each job is one register, open until one moment and of one outcome ever after.`;

const rest = `## Everything that can happen to one job

\`test/model/exhaustive\` goes through all that two workers, two crashes or freezes, a cancel, a flip, the outbox and a lane that changes hands
can do to a job: 19,286 states, and 388,434 if the job may be launched again. No promise is broken in any of them. In each of eight
protocols with one fault it finds the violation, by the shortest way. \`test/model/protocol-is-the-lua\` runs the functions of this check
and the scripts side by side, and after each step both have to have said and kept the same.

## What can be left behind

Each is planted by a test, which waits until somebody has taken it up: a job without a queue entry, a poll that nobody has, an intent without an
answer, a tombstone whose response nobody watches, entries of indexes without a record, a lane without an owner, a bulk cancel that not
every lane knows of
(\`integration/left-behind\`, \`i5-nothing-lost\`); a bulk cancel whose process died (\`e2e/cancellations\`); the callers of a server that died
(\`integration/attendance\`); a stream without a follower (\`fault/killed-worker\`).

## What this found, and what was mended

- A worker that had been stopped woke with all of its creates timed out, although their answers lay in its sockets. Their ids were lost, and
  five such creates in a row held the model for everybody. Now what has arrived is heard before a late time-out counts.
- A stall without a worker, as when the answer that assigns an entry is lost, counted as a crash. Five of them failed a job whose paid
  result was there. Now a crash counts only if a worker had begun.
- After the number of lanes was raised, the third send of a create made a second job and paid again.
- A worker that was frozen between a refusal and its decision failed a job that another one had launched since. Likewise after a 404.
- A follower of a stream that woke behind another one wrote again what readers had.
- Two lanes could adopt one response if one adopter was frozen for a minute.
- A stream that failed before its first event, as when the store was away, was answered \`500 {}\`. Now it says why.
- A pause by a process that had not heard of new lanes left those running.
- A launch waited for 50 s behind 12,000 lines of the outbox, and now for 8 s. A lane whose only worker was killed was taken over after up to
  16 s, and now five seconds sooner.

## What is not shown

- A loss of power. Redis was killed, not its machine.
- Clocks that run at different speeds, and a Redis whose clock jumps.
- More than one fault at exactly the same step, except by chance in the soak.
- More load than a machine bears. Two cores with six workers, two servers, the provider and the users on them do not keep up with 50 jobs a second
  for ten minutes while a process is hit each second: creates time out, holds follow, and users give up. No job is lost by that.
- A real provider. Its misbehaviour is simulated as it was reported.

## To repeat it

| | |
|---|---|
| \`npm run test:fault\` | the short forms, in about five minutes |
| \`npm run test:fault -- --rounds 20 --minutes 10 --write\` | all of it, and writes this page; two hours |
| \`npm run test:fault -- --seed 4711\` | makes the choices of an earlier run again; when things happen still differs |
| \`npm run soak -- --minutes 10\` | the soak alone. It also fails if an interesting case happened fewer than 30 times |
`;

export interface FaultRun {
  findings: Finding[];
  suite: SuiteResult;
  soaked: SoakReport;
  rounds: number;
  seed: number;
}

/** Writes docs/reliability.md from a run, with its date, commit, machine and seed. */
export function writeReliability({ findings, suite, soaked, rounds, seed }: FaultRun): void {
  const { date, commit, machine } = whereAndWhen();
  const rows = findings.map(
    ({ part, what, tried, violations, figures = '' }) => `| ${[part, what, tried, violations, figures].join(' | ')} |`,
  );
  const form = rounds === 0 ? 'the short forms' : `${rounds} rounds`;
  writeFileSync(
    join(root, 'docs', 'reliability.md'),
    `${introduction}
## Results

${date}, commit ${commit}, ${machine}, seed ${seed}, ${form}. In all, ${suite.passed} fault tests passed and ${suite.failed} failed.

| | what was broken | tried | violations | |
|---|---|---|---|---|
${rows.join('\n')}

## The soak

${about}

${tableOf(soaked)}

${rest}`,
  );
}
