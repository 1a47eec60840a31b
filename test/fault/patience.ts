import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_AGAIN_MS = 50;

/** Asks again and again until the answer will do, or the time is over. Returns the last answer. */
export async function askUntil<Answer>(
  ask: () => Answer | Promise<Answer>,
  willDo: (answer: Answer) => boolean,
  mostMs: number,
): Promise<Answer> {
  const latest = performance.now() + mostMs;
  for (;;) {
    const answer = await ask();
    if (willDo(answer) || performance.now() > latest) return answer;
    await sleep(LOOK_AGAIN_MS);
  }
}

/** What trying again does not mend. */
export class Fatal extends Error {}

/** Tries until it succeeds, as an app does whose store or server is away. Throws the last error once the time is over. */
export async function insist<Answer>(attempt: () => Promise<Answer>, mostMs: number): Promise<Answer> {
  const settle = async () => (await Promise.allSettled([attempt()]))[0];
  const isOver = (tried: PromiseSettledResult<Answer>) => tried.status === 'fulfilled' || tried.reason instanceof Fatal;
  const tried = await askUntil(settle, isOver, mostMs);
  if (tried.status === 'rejected') throw tried.reason;
  return tried.value;
}
