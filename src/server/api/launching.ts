import type { Producer } from '../../producer/producer.ts';
import { depthsSchema } from '../../shared/contract/depths.ts';
import { assertAdmin } from './cancellations.ts';
import { type Api, errorAnswers } from './schemas.ts';

/** The whole deployment at a glance, and the switch for spending: both for admins, since they are everybody's (I12). */
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
    ['pause', true, 'Launch nothing new; what runs goes on, and cancels work'],
    ['resume', false, 'Launch again'],
  ] as const)
    app.post(`/v1/launch/${word}`, { schema: { ...about, summary } }, async request => {
      assertAdmin(request.caller);
      await producer.pauseLaunch(isPaused);
      return await producer.depths();
    });
}
