// Takes the pictures in docs/images: it starts everything, sends the demo's jobs through the server and opens four pages.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { FrontDoor } from '../src/cli/demo/front-door.ts';
import { play, untilSettled } from '../src/cli/demo/scenario.ts';
import { startSystem } from '../src/cli/processes/system.ts';
import { root } from './run-file.ts';

const system = await startSystem({
  redisUrl: undefined,
  storePort: 0,
  simulatorPort: 0,
  simulate: true,
  workers: 0,
  serverPort: 0,
  env: {
    HEADSTONE_PREFIX: '{screenshots}',
    HEADSTONE_POLL_MIN_MS: '300',
    HEADSTONE_SETTLE_FIRST_MS: '1000',
    HEADSTONE_SETTLE_WINDOW_MS: '6000',
    HEADSTONE_MAX_IN_FLIGHT: '16',
  },
  onLine: () => {},
});
const origin = system.serverUrl ?? '';
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  const door = new FrontDoor(origin);
  const { ids } = await play(
    door,
    () => system.startWorkers(1),
    () => {},
  );
  await untilSettled(door);
  // Three jobs that are still running.
  for (const input of [
    'Explain the tides of the Bay of Fundy',
    'List the eels of the Sargasso Sea',
    'Draft a harbour chart',
  ]) {
    const metadata = { sim: JSON.stringify({ duration_ms: 60_000 }) };
    await door.create({ model: 'gpt-5.5', input, metadata, headstone: { tenant: 'harbour', tags: ['report'] } });
  }
  await sleep(1500);
  const flipped = (await Promise.all(ids.map(id => door.record(id)))).find(({ timeline }) =>
    timeline.some(({ event }) => event === 'late_result_dropped'),
  );
  const context = await browser.newContext({ viewport: { width: 1200, height: 820 } });
  const page = await context.newPage();
  for (const [name, path] of [
    ['jobs', '/jobs'],
    ['job', `/jobs/${flipped?.id}`],
    ['waste', '/waste'],
    ['board', '/board/queue/launch'],
  ] as const) {
    await page.goto(`${origin}${path}`);
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: join(root, 'docs', 'images', `${name}.png`) });
  }
} finally {
  await browser.close();
  await system.stop();
}
