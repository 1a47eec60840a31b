import type { SoakReport } from '../test/fault/soak/soak.ts';
import type { SuiteResult } from './suite.ts';

const MOST_SHOWN = 20;

/** A soak as one test among others. */
export function resultOfSoak({ violations, minutes, seed }: SoakReport): SuiteResult {
  const name = `the soak of ${minutes} min, seed ${seed}`;
  const isBroken = violations.length > 0;
  return {
    passed: isBroken ? 0 : 1,
    failed: isBroken ? 1 : 0,
    failures: isBroken
      ? [`${name}: ${violations.length} violations\n${violations.slice(0, MOST_SHOWN).join('\n')}`]
      : [],
    tests: [],
  };
}
