import { z } from 'zod';
import type { Producer } from '../../producer/producer.ts';
import { depthsSchema } from '../../shared/contract/depths.ts';
import { heldLaunchesSchema } from '../../shared/contract/holds.ts';
import { assertAdmin } from '../access/permissions.ts';
import { type Api, errorAnswers } from './schemas.ts';

/** Routes that show and pause the whole deployment. They concern every tenant, so they are for admins (I12). */
export function launchingRoutes(app: Api, producer: Producer): void {
  const about = { tags: ['launching'], response: { 200: depthsSchema, ...errorAnswers } };

  app.get(
    '/v1/status',
    { schema: { ...about, summary: 'What is waiting, what is held, and whether launching is paused' } },
    async request => {
      assertAdmin(request.caller);
      return await producer.depths();
    },
  );

  app.get(
    '/v1/holds',
    {
      schema: {
        summary: 'Which launches are held back, why, and when the next try is',
        tags: ['launching'],
        response: { 200: z.object({ object: z.literal('list'), data: z.array(heldLaunchesSchema) }), ...errorAnswers },
      },
    },
    async request => {
      assertAdmin(request.caller);
      return { object: 'list' as const, data: await producer.holds() };
    },
  );

  app.post(
    '/v1/holds/release',
    {
      schema: {
        summary: 'Try at once whether a hold is over',
        tags: ['launching'],
        body: z.strictObject({ scope: z.string().min(1).max(500) }),
        response: { 200: z.object({ scope: z.string(), released: z.literal(true) }), ...errorAnswers },
      },
    },
    async ({ body: { scope }, caller }) => {
      assertAdmin(caller);
      await producer.releaseHold(scope);
      return { scope, released: true as const };
    },
  );

  for (const [word, isPaused, summary] of [
    ['pause', true, 'Pause launching; running jobs go on, and cancels work'],
    ['resume', false, 'Resume launching'],
  ] as const)
    app.post(`/v1/launch/${word}`, { schema: { ...about, summary } }, async request => {
      assertAdmin(request.caller);
      await producer.pauseLaunch(isPaused);
      return await producer.depths();
    });
}
