import type { Producer } from '../../producer/producer.ts';
import { depthsSchema } from '../../shared/contract/depths.ts';
import { assertAdmin } from '../access/permissions.ts';
import { type Api, errorAnswers } from './schemas.ts';

/** Routes that show and pause the whole deployment. They concern every tenant, so they are for admins (I12). */
export function launchingRoutes(app: Api, producer: Producer): void {
  const about = { tags: ['launching'], response: { 200: depthsSchema, ...errorAnswers } };

  app.get(
    '/v1/status',
    { schema: { ...about, summary: 'How much waits where, and whether launching is paused' } },
    async request => {
      assertAdmin(request.caller);
      return await producer.depths();
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
