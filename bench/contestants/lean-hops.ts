// The same with the client that Headstone's worker has.
import { openUpstream } from '../../src/provider/upstream.ts';
import { compete } from './contestant.ts';
import { startHops } from './start-hops.ts';

await compete(async (task, finished) => {
  const openai = { apiKey: 'any', baseURL: task.providerUrl };
  const upstream = await openUpstream({ openai, launchTimeoutMs: 60_000 });
  const { signal } = new AbortController();
  await startHops(task, finished, {
    async create(body) {
      const answer = await upstream.create(JSON.stringify({ ...body, background: true }), body.model);
      return answer.kind === 'acknowledged' ? answer.response.id : '';
    },
    async retrieve(id) {
      const answer = await upstream.retrieve(id, { signal, include: [] });
      return answer.kind === 'found' ? answer.response.status : '';
    },
  });
});
