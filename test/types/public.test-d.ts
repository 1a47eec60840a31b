import { expectTypeOf, test } from 'vitest';
import type { createProducer, Finished, Job, UpstreamResponse, Verdict } from '../../src/index.ts';

type Producer = ReturnType<typeof createProducer>;

test('an outcome is a union by status, in which wrong states cannot be written', () => {
  expectTypeOf<Extract<Finished, { status: 'completed' }>['response']>().toEqualTypeOf<UpstreamResponse>();
  expectTypeOf<Extract<Finished, { status: 'cancelled' }>>().not.toHaveProperty('response');
  expectTypeOf<Extract<Finished, { status: 'failed' }>['error']['code']>().toEqualTypeOf<string>();
});

test('the producer’s answers', () => {
  expectTypeOf<Awaited<ReturnType<Producer['cancel']>>>().toEqualTypeOf<{ verdict: Verdict }>();
  expectTypeOf<Awaited<ReturnType<Producer['get']>>>().toEqualTypeOf<Job | null>();
  expectTypeOf<Awaited<ReturnType<Producer['wait']>>>().toEqualTypeOf<Finished>();
});
