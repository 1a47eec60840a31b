import { expect, inject, test } from 'vitest';
import { deathsOf } from './crash/deaths.ts';
import { type Play, play } from './crash/kill.ts';
import { isShort, quantile, report, rounds, seed } from './form.ts';
import { randomOf } from './random.ts';
import { inTurns } from './scenes/play.ts';
import { scenes } from './scenes/scenes.ts';

/** A play waits for locks to expire far more than it works. */
const AT_ONCE = isShort ? 8 : 12;
const SAID_EVERY = 250;
const RESUMED_WITHIN_MS = 15_000;

/** Steps that each process comes to again and dies at. Some others depend on the time, and may not come again. */
const always = ['intend', 'create', 'acknowledge', 'retrieve', 'decide', 'cancel at the provider', 'charge', 'accept'];

test('I1 to I8, I10: a process that is killed at any of its steps', { timeout: 3 * 3_600_000 }, async () => {
  const redisUrl = inject('redisUrl');
  const random = randomOf(seed);
  const healthy = await inTurns(AT_ONCE, scenes, scene => play(scene, redisUrl));
  expect(healthy.flatMap(complaintsOf)).toEqual([]);

  const deaths = Array.from({ length: Math.max(1, rounds) }, (_, round) => deathsOf(healthy, round, random, isShort));
  let done = 0;
  const plays = await inTurns(AT_ONCE, deaths.flat(), async ({ scene, ...death }) => {
    const ended = await play(scene, redisUrl, death);
    done += 1;
    if (done % SAID_EVERY === 0) process.stdout.write(`${done} of ${deaths.flat().length} plays have ended.\n`);
    return ended;
  });
  const died = plays.filter(({ hasStruck }) => hasStruck);
  const resumed = died.flatMap(({ resumedMs }) => resumedMs ?? []);
  const steps = new Set(died.map(({ at }) => at));
  report({
    part: 'Crash points',
    what: `kill -9 at each of ${steps.size} steps, in ${scenes.length} scenes`,
    tried: died.length,
    violations: died.flatMap(complaintsOf).length,
    figures: `Another process went on after ${quantile(resumed, 0.5)} ms (p50), ${quantile(resumed, 0.99)} ms (p99).`,
  });
  expect(plays.flatMap(complaintsOf)).toEqual([]);
  expect(quantile(resumed, 0.99)).toBeLessThan(RESUMED_WITHIN_MS);
  expect(always.filter(step => !steps.has(`after ${step}`))).toEqual([]);
});

function complaintsOf({ scene, at = 'never', time = 1, violations }: Play): string[] {
  return violations.map(violation => `${scene}, killed ${at}, time ${time}: ${violation}`);
}
