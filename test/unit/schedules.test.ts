import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextObservation, pollDelayMs, type Watch } from '../../src/worker/schedule.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

test('a watch observes at 1, 3, 12, 36 and 360 times the first delay, at the retention floor, and at the end', () => {
  const watch: Watch = {
    endedAt: 0,
    openedAt: -MINUTE,
    firstMs: 5 * SECOND,
    windowMs: 60 * MINUTE,
    retentionFloorMs: 9 * MINUTE,
  };
  const times: number[] = [];
  for (let look = nextObservation(watch, 0); look !== null; look = nextObservation(watch, look)) times.push(look);
  expect(times).toEqual([5, 15, 60, 180, 480, 1800, 3600].map(seconds => seconds * SECOND));
});

test('I9: a watch has at most seven observations and always ends with one at the window’s end', () => {
  const span = fc.integer({ min: 10, max: 10_000_000 });
  fc.assert(
    fc.property(
      span,
      span,
      span,
      fc.integer({ min: -10_000_000, max: 0 }),
      (firstMs, windowMs, retentionFloorMs, openedAt) => {
        const watch = { endedAt: 0, openedAt, firstMs, windowMs, retentionFloorMs };
        const times: number[] = [];
        for (let look = nextObservation(watch, 0); look !== null; look = nextObservation(watch, look)) times.push(look);
        expect(times.length).toBeLessThanOrEqual(7);
        expect(times.at(-1)).toBe(windowMs);
        expect(times).toEqual([...new Set(times)].sort((left, right) => left - right));
      },
    ),
  );
});

test('polls slow down with the age of the run, between their bounds', () => {
  const bounds = { pollMinMs: 2000, pollMaxMs: 30_000 };
  const steady = (ageMs: number) => pollDelayMs(ageMs, bounds, () => 0.5);
  expect(steady(0)).toBe(2000);
  expect(steady(178_571)).toBe(10_000);
  expect(steady(3_600_000)).toBe(30_000);
  fc.assert(
    fc.property(fc.nat(10_000_000), fc.double({ min: 0, max: 1, noNaN: true }), (ageMs, random) => {
      const delayMs = pollDelayMs(ageMs, bounds, () => random);
      expect(delayMs).toBeGreaterThanOrEqual(1600);
      expect(delayMs).toBeLessThanOrEqual(36_000);
    }),
  );
});
