import type { SoakReport } from '../test/fault/soak/soak.ts';
import { shortcomingsOf } from '../test/fault/soak/table.ts';
import type { SuiteResult } from './suite.ts';

const MOST_SHOWN = 20;

/** A soak as one test among others. */
export function resultOfSoak(report: SoakReport): SuiteResult {
  const name = `the soak of ${report.minutes} min, seed ${report.seed}`;
  const problems = [...report.violations, ...shortcomingsOf(report)];
  const isBroken = problems.length > 0;
  return {
    passed: isBroken ? 0 : 1,
    failed: isBroken ? 1 : 0,
    failures: isBroken ? [`${name}: ${problems.length} problems\n${problems.slice(0, MOST_SHOWN).join('\n')}`] : [],
    tests: [],
  };
}
