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

const about = `Six workers and two servers run four lanes under load. Every second one of them is killed, asked to stop, paused and resumed, or cut off
from Redis for up to six seconds. Jobs arrive through the library, over HTTP, as upgraded creates, as streams and by adoption. A fifth of them
are cancelled, by the library, over HTTP or by a caller who leaves, and some of those flip. Readers and writers record what they were told and
when. Afterwards a checker looks for one order of events that explains every answer: each job is open up to one moment and has a single
outcome from then on. A job that was accepted and is gone, one that is there twice, a result or a text after a cancel, a charge that nobody
saw, a lock or an entry that is left: each is a violation.`;

const rest = `## Everything that can happen to one job

\`test/model/exhaustive\` explores everything that two workers, two crashes or freezes, a cancel, a flip, the outbox and a lane that changes
hands can do to a job: 19,286 states, or 388,434 if the job may be launched again. No state breaks a promise. When one fault is put into the
protocol, it finds the shortest path to the violation; eight such faults were tried. \`test/model/protocol-is-the-lua\` runs the model and the
scripts side by side and checks after each step that both answered and stored the same.

## What can be left behind

A test creates each of these leftovers and waits until a process picks it up: a job without a queue entry, a poll that nobody has, an intent without an
answer, a tombstone whose response nobody watches, entries of indexes without a record, a lane without an owner, a bulk cancel that not
every lane knows of
(\`integration/left-behind\`, \`i5-nothing-lost\`); a bulk cancel whose process died (\`e2e/cancellations\`); the callers of a server that died
(\`integration/attendance\`); a stream without a follower (\`fault/killed-worker\`).

## What this found

All of these are fixed.

- A worker that had been stopped woke with all of its creates timed out, although their answers lay in its sockets. Their ids were lost, and
  five such creates in a row held the model for everybody. Now what has arrived is heard before a late time-out counts.
- An entry that stalled before any worker had begun it was counted as a crash. Five of these failed a job whose paid result was there. Now a
  crash counts only if a worker had begun.
- After the number of lanes was raised, the third send of a create made a second job and paid again.
- A worker that was frozen between a refusal and its decision failed a job that another one had launched since. Likewise after a 404.
- A worker that woke after another had taken over its stream sent readers the same events again.
- Two lanes could adopt one response if one adopter was frozen for a minute.
- A stream that failed before its first event, as when the store was away, was answered \`500 {}\`. Now it says why.
- A process that did not know of newly added lanes paused launching, and those lanes kept launching.
- An id that the app had enqueued before the number of lanes was raised became a second job over HTTP.
- \`launch_unknown\` was logged for launches whose answer had just come, when a busy worker's lock had expired.
- A job whose server died together with its caller ran on for up to 62 s, and now for up to 53 s.
- A reader that does not read kept a megabyte of a long stream in the server's memory, and now a quarter of that.
- A launch waited for 50 s behind 12,000 lines of the outbox, and now for 8 s. A lane whose only worker was killed was taken over after up to
  16 s, and now five seconds sooner.

## What is not shown

- A loss of power. Redis was killed, not its machine.
- Clocks that run at different speeds, and a Redis whose clock jumps.
- More than one fault at exactly the same step, except by chance in the soak.
- Load beyond what the machine can carry: creates time out, holds follow and users give up, but no job is lost.
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
