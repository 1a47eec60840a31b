import { expect, test } from 'vitest';
import { explore } from './protocol/explore.ts';

for (const relaunch of [false, true])
  test(`I1 to I7, I10: everything that two workers, two crashes, a cancel and a flip can do to a job${relaunch ? ', launched again' : ''}`, {
    timeout: 120_000,
  }, () => {
    const { states, violation } = explore({ relaunch });
    process.stdout.write(`explored ${states} states${relaunch ? ', with relaunch' : ''}\n`);
    expect(violation).toBeNull();
    expect(states).toBeGreaterThan(10_000);
  });

test.for([
  ['noFence', 'I7'],
  ['launchesAgain', 'I6'],
  ['lateResultWins', 'I2'],
  ['refusesLateIds', 'I3'],
  ['settlesNothing', 'I3'],
  ['postsFirst', 'I4'],
  ['noOutbox', 'I3'],
  ['cancelsInTwoSteps', 'I2'],
] as const)('a protocol with the fault %s is found out (%s)', { timeout: 120_000 }, ([fault, promise]) => {
  const { violation } = explore({ relaunch: true, [fault]: true });
  expect(violation?.what).toContain(promise);
});
