import { expect, test } from 'vitest';
import { always } from '../../src/shared/store/connection/patience.ts';

/** The longest of many delays before the eleventh attempt, in milliseconds. */
function longestDelay(options: object): number {
  const { retryStrategy } = always;
  return Math.max(...Array.from({ length: 1000 }, () => Number(retryStrategy?.call(options, 11))));
}

test('I10: Sentinels are asked who has taken over within two seconds, and a server that is down within five', () => {
  expect(longestDelay({ sentinels: [{ host: 'localhost', port: 26_379 }] })).toBeLessThanOrEqual(2000);
  const ofServer = longestDelay({ host: 'localhost' });
  expect(ofServer).toBeGreaterThan(2000);
  expect(ofServer).toBeLessThanOrEqual(5000);
});
