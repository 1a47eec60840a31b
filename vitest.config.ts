import { defineConfig } from 'vitest/config';

/** These measure milliseconds, which other tests on the same cores would spend. */
const alone = 'test/alone/**/*.test.ts';

/** These start a process for each fault, or keep a core busy, and come when the others are done. */
const heavy = [
  'test/fault/{crash-points,drain,failover-under-load,killed-redis,lost-replies,outages,quota}.test.ts',
  'test/model/exhaustive.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 5000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts', ...[alone, ...heavy].map(pattern => `!${pattern}`)],
          globalSetup: ['test/support/global-setup.ts'],
          // On two cores: the tests wait more than they work. docs/decisions/0016 has the numbers.
          maxWorkers: 4,
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: [alone],
          globalSetup: ['test/support/global-setup.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'heavy',
          include: heavy,
          globalSetup: ['test/support/global-setup.ts'],
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
