import { expect, test } from 'vitest';
import { scripted, startHarness } from '../support/harness.ts';

test('I9: under a backlog no more than HEADSTONE_MAX_IN_FLIGHT responses run, and the polls of a job stay few', async () => {
  const { producer, simulatorLedger, events } = await startHarness({
    workers: 2,
    env: { HEADSTONE_MAX_IN_FLIGHT: '5' },
  });
  const jobs = Array.from({ length: 60 }, (_, n) => ({ request: scripted({ duration_ms: 200 }, `Prompt ${n}`) }));
  const ids = (await producer.enqueueMany(jobs)).map(({ id }) => id);
  await Promise.all(ids.map(id => producer.wait(id)));
  expect(mostAtOnce(events)).toBeLessThanOrEqual(5);
  expect(mostAtOnce(events)).toBeGreaterThan(1);
  const { responses } = await simulatorLedger();
  expect(responses).toHaveLength(60);
  expect(Math.max(...responses.map(({ reads }) => reads))).toBeLessThan(20);
});

test('I9: a job’s timeline keeps its newest hundred entries', async () => {
  const { producer, happened, redis, prefix } = await startHarness();
  const { id } = await producer.enqueue(scripted());
  await happened('job_decided');
  await redis.rpush(`${prefix}:timeline:${id}`, ...Array.from({ length: 500 }, () => '{"at":1,"event":"filler"}'));
  const again = await producer.enqueue(scripted({ duration_ms: 60_000, stuck: true }), { id: 'second' });
  await redis.rpush(
    `${prefix}:timeline:${again.id}`,
    ...Array.from({ length: 500 }, () => '{"at":1,"event":"filler"}'),
  );
  await producer.cancel(again.id);
  expect((await producer.get(again.id))?.timeline).toHaveLength(100);
});

/** From what the workers told: launched and not decided yet. */
function mostAtOnce(events: { name: string }[]): number {
  let running = 0;
  let most = 0;
  for (const { name } of events) {
    if (name === 'launch_acknowledged') running += 1;
    if (name === 'job_decided') running -= 1;
    most = Math.max(most, running);
  }
  return most;
}
