import type { TestProject } from 'vitest/node';
import { startChild } from '../../src/cli/processes/children.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
  }
}

/** The store that all tests share, each with its own prefix. It is TEST_REDIS_URL, or an embedded store. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_REDIS_URL;
  if (given !== undefined) {
    project.provide('redisUrl', given);
    return async () => {};
  }
  const store = await startChild(['store', '--port', '0']);
  project.provide('redisUrl', store.address);
  return store.stop;
}
