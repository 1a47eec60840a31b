import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { startHealthServer } from '../../src/server/health.ts';
import { createMetrics } from '../../src/shared/runtime/metrics.ts';
import { startFrontDoor } from '../support/front-door.ts';
import { scripted } from '../support/harness.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const hasIpv6 = Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === '::1'));
if (!hasIpv6) process.stdout.write('This machine has no IPv6, so listening on it was not tried.\n');

const apiKeys = [{ name: 'root', key: 'key-of-root-0123456789a', tenant: 'harbour', admin: true }];

const over = (protocol: 4 | 6, url: string) => {
  const { port } = new URL(url);
  return fetch(`http://${protocol === 6 ? '[::1]' : '127.0.0.1'}:${port}/healthz`).then(
    ({ status }) => status,
    () => 'refused',
  );
};

test.runIf(hasIpv6)(
  'the server and a worker’s health listen on both protocols, or where HEADSTONE_HOST says',
  async () => {
    const { server, worker, telemetry } = await startFrontDoor({ apiKeys });
    expect([await over(4, server.url), await over(6, server.url)]).toEqual([200, 200]);
    const parts = {
      ready: () => worker.ready(),
      lively: () => worker.isLively(),
      metrics: createMetrics(telemetry, () => worker.depths()),
    };
    const health = await startHealthServer({ port: 0 }, parts);
    onTestFinished(() => health.close());
    expect([await over(4, health.url), await over(6, health.url)]).toEqual([200, 200]);

    for (const [host, expected] of [
      ['127.0.0.1', [200, 'refused']],
      ['::1', ['refused', 200]],
      ['0.0.0.0', [200, 'refused']],
    ] as const) {
      const chosen = await startFrontDoor({ workers: 0, apiKeys, env: { HEADSTONE_HOST: host } });
      expect([await over(4, chosen.server.url), await over(6, chosen.server.url)], host).toEqual(expected);
      const ofWorker = await startHealthServer({ port: 0, host }, parts);
      onTestFinished(() => ofWorker.close());
      expect([await over(4, ofWorker.url), await over(6, ofWorker.url)], host).toEqual(expected);
    }
  },
);

test.runIf(hasIpv6)('I12: a server without sign-in keeps to this machine, whatever HEADSTONE_HOST says', async () => {
  const { server } = await startFrontDoor({ workers: 0, env: { HEADSTONE_HOST: '0.0.0.0' } });
  const { port } = new URL(server.url);
  const outside = Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  for (const { address } of outside)
    await expect(fetch(`http://${address}:${port}/healthz`), address).rejects.toThrow();
  expect([await over(4, server.url), await over(6, server.url)]).toContain(200);
});

test('a deployment that is paused or held is ready, and says so everywhere', async () => {
  const upstreamUrl = await startUpstream((_request, _body, response) =>
    answer(response, 429, { error: { message: 'You exceeded your current quota.', code: 'insufficient_quota' } }),
  );
  const { server, producer, worker, happened } = await startFrontDoor({ upstreamUrl });
  const words = async () => {
    const reply = await fetch(`${server.url}/readyz`);
    return [reply.status, ((await reply.json()) as { obstacles?: string[] }).obstacles, await worker.ready()];
  };
  expect(await words()).toEqual([200, undefined, []]);
  await producer.enqueue(scripted());
  await happened('launches_held');
  expect(await words()).toEqual([200, ['Some launches are held back.'], ['Some launches are held back.']]);
  await producer.pauseLaunch(true);
  const both = ['Launching is paused.', 'Some launches are held back.'];
  expect(await words()).toEqual([200, both, both]);
});
